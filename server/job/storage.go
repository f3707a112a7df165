package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Storage keeps jobs and results. Put returns when its content is durable.
// Implementations are safe for concurrent use.
type Storage interface {
	Put(name string, data []byte) error
	Get(name string) ([]byte, error) // fs.ErrNotExist
	Delete(name string) error        // no error where there is none
	Names() ([]string, error)
}

// Folder keeps each in a file of a folder, which only the server's user may
// read.
type Folder string

// Put writes a file beside the old one and puts it in its place.
func (f Folder) Put(name string, data []byte) (err error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(string(f), "*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), f.path(name)); err != nil {
		return err
	}
	return f.sync()
}

// sync makes the names in the folder durable.
func (f Folder) sync() error {
	dir, err := os.Open(string(f))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// Get reads a file.
func (f Folder) Get(name string) ([]byte, error) { return os.ReadFile(f.path(name)) }

// Delete removes a file.
func (f Folder) Delete(name string) error {
	if err := os.Remove(f.path(name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Names lists the files; what a crash left half-written is removed.
func (f Folder) Names() ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			if err := os.Remove(f.path(e.Name())); err != nil {
				return nil, err
			}
			continue
		}
		names = append(names, e.Name())
	}
	return names, nil
}

// Memory keeps everything until the process ends.
type Memory struct {
	mu    sync.Mutex
	files map[string][]byte
}

// Put keeps a copy.
func (m *Memory) Put(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files == nil {
		m.files = map[string][]byte{}
	}
	m.files[name] = append([]byte(nil), data...)
	return nil
}

// Get returns what was put.
func (m *Memory) Get(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

// Delete forgets.
func (m *Memory) Delete(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
	return nil
}

// Names lists what there is.
func (m *Memory) Names() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(m.files))
	for name := range m.files {
		names = append(names, name)
	}
	return names, nil
}

// ForgetEnded removes every job of a kind that has ended, with its result, from
// a storage that no Manager uses.
func ForgetEnded(s Storage, kind string) error {
	names, err := s.Names()
	if err != nil {
		return fmt.Errorf("job: %w", err)
	}
	for _, name := range names {
		id, ok := strings.CutSuffix(name, jobSuffix)
		if !ok {
			continue
		}
		j, err := read(s, name)
		if err != nil {
			return err
		}
		if j.Kind != kind || !j.State.Ended() {
			continue
		}
		if err := errors.Join(s.Delete(id+resultSuffix), s.Delete(name)); err != nil {
			return fmt.Errorf("job: %w", err)
		}
	}
	return nil
}

// read reads a job.
func read(s Storage, name string) (j Job, err error) {
	data, err := s.Get(name)
	if err != nil {
		return j, fmt.Errorf("job: %w", err)
	}
	if err := json.Unmarshal(data, &j); err != nil || j.ID+jobSuffix != name {
		return j, fmt.Errorf("job: %s is damaged", name)
	}
	return j, nil
}

const (
	jobSuffix    = ".job"
	resultSuffix = ".result"
)

func (m *Manager) save(j *Job) error {
	data, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("job: %w", err)
	}
	if err := m.cfg.Storage.Put(j.ID+jobSuffix, data); err != nil {
		return fmt.Errorf("job: %w", err)
	}
	return nil
}

// load reads all jobs. One that cannot be read fails the start: it may have
// been promised to somebody.
func (m *Manager) load() error {
	names, err := m.cfg.Storage.Names()
	if err != nil {
		return fmt.Errorf("job: %w", err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, jobSuffix) {
			continue
		}
		j, err := read(m.cfg.Storage, name)
		if err != nil {
			return err
		}
		m.jobs[j.ID] = &entry{job: j}
	}
	return nil
}
