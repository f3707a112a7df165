package sealedfs

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// KeysFile is the file of a folder that holds its wrapped keys. A copy of the
// folder without it cannot be read by anybody.
const KeysFile = "keys.json"

const keysMagic = "kaigofhir folder keys 1"

// keysFile is the content of KeysFile.
type keysFile struct {
	Format string      `json:"format"`
	Keys   []folderKey `json:"keys"` // the last is for new files
}

type folderKey struct {
	ID      uint32 `json:"id"`
	Wrapped []byte `json:"wrapped"`
	plain   []byte
}

// Keys are the folder keys, unwrapped.
type Keys struct {
	newest uint32
	aeads  map[uint32]cipher.AEAD
}

// Open returns the file system for a store in a folder. With a master key the
// folder must be encrypted under it, or hold no store yet; without one (nil) it
// must not be encrypted. Keys are only made where readOnly is false.
func Open(ctx context.Context, disk vfs.FS, dir string, master MasterKey, readOnly bool) (vfs.FS, error) {
	names, err := list(disk, dir)
	if err != nil {
		return nil, err
	}
	encrypted := slices.Contains(names, KeysFile)
	switch {
	case master == nil && encrypted:
		return nil, ErrEncrypted
	case master == nil:
		return disk, nil
	case !encrypted && slices.ContainsFunc(names, ofStore):
		return nil, ErrNotEncrypted
	case !encrypted && readOnly:
		return disk, nil // there is nothing to read
	case !encrypted:
		if err := create(ctx, disk, dir, master); err != nil {
			return nil, err
		}
	}
	keys, err := OpenKeys(ctx, disk, dir, master)
	if err != nil {
		return nil, err
	}
	return newFS(disk, keys), nil
}

func list(disk vfs.FS, dir string) ([]string, error) {
	names, err := disk.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// ofStore tells files of Pebble by their names.
func ofStore(name string) bool {
	return strings.HasPrefix(name, "MANIFEST-") || strings.HasPrefix(name, "marker.") || name == "CURRENT" ||
		strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".log")
}

// create makes the first folder key.
func create(ctx context.Context, disk vfs.FS, dir string, master MasterKey) error {
	if err := disk.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f := keysFile{Format: keysMagic}
	if err := f.add(); err != nil {
		return err
	}
	return f.write(ctx, disk, dir, master)
}

// OpenKeys reads the keys of an encrypted folder.
func OpenKeys(ctx context.Context, disk vfs.FS, dir string, master MasterKey) (*Keys, error) {
	f, err := readKeys(ctx, disk, dir, master)
	if err != nil {
		return nil, err
	}
	k := &Keys{aeads: map[uint32]cipher.AEAD{}}
	for _, key := range f.Keys {
		if k.aeads[key.ID], err = newAEAD(key.plain); err != nil {
			return nil, fmt.Errorf("%w: %s", ErrDamaged, KeysFile)
		}
		k.newest = key.ID
	}
	return k, nil
}

// ChangeMaster wraps the keys of a folder under another master key and adds a
// new folder key for the files to come. A store that is open goes on; from then
// on it opens with the new key only.
func ChangeMaster(ctx context.Context, disk vfs.FS, dir string, from, to MasterKey) error {
	f, err := readKeys(ctx, disk, dir, from)
	if err != nil {
		return err
	}
	if err := f.add(); err != nil {
		return err
	}
	return f.write(ctx, disk, dir, to)
}

func readKeys(ctx context.Context, disk vfs.FS, dir string, master MasterKey) (*keysFile, error) {
	in, err := disk.Open(disk.PathJoin(dir, KeysFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotEncrypted
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(in)
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	var f keysFile
	if err := json.Unmarshal(data, &f); err != nil || f.Format != keysMagic || len(f.Keys) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrDamaged, KeysFile)
	}
	for i := range f.Keys {
		if f.Keys[i].plain, err = master.Unwrap(ctx, f.Keys[i].Wrapped); err != nil {
			return nil, fmt.Errorf("unwrap the keys of the store: %w", err)
		}
	}
	return &f, nil
}

func (f *keysFile) add() error {
	key := folderKey{ID: 1, plain: make([]byte, keyBytes)}
	if n := len(f.Keys); n > 0 {
		key.ID = f.Keys[n-1].ID + 1
	}
	if _, err := rand.Read(key.plain); err != nil {
		return err
	}
	f.Keys = append(f.Keys, key)
	return nil
}

// write puts the file in the place of the old one at once.
func (f *keysFile) write(ctx context.Context, disk vfs.FS, dir string, master MasterKey) (err error) {
	for i := range f.Keys {
		if f.Keys[i].Wrapped, err = master.Wrap(ctx, f.Keys[i].plain); err != nil {
			return fmt.Errorf("wrap the keys of the store: %w", err)
		}
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	path := disk.PathJoin(dir, KeysFile)
	out, err := disk.Create(path+".tmp", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = out.Write(append(data, '\n'))
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := disk.Rename(path+".tmp", path); err != nil {
		return err
	}
	folder, err := disk.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Seal encrypts a small file that lies beside the store; it opens only under
// its name.
func (k *Keys) Seal(name string, plain []byte) ([]byte, error) {
	id := binary.BigEndian.AppendUint32(nil, k.newest)
	sealed, err := wrap(k.aeads[k.newest], plain, append([]byte(smallMagic+name), id...))
	return append(id, sealed...), err
}

// Unseal is the reverse of Seal; ErrDamaged where that fails.
func (k *Keys) Unseal(name string, sealed []byte) ([]byte, error) {
	if len(sealed) < 4 {
		return nil, ErrDamaged
	}
	id := sealed[:4]
	aead, ok := k.aeads[binary.BigEndian.Uint32(id)]
	if !ok {
		return nil, ErrDamaged
	}
	return unwrap(aead, sealed[4:], append([]byte(smallMagic+name), id...))
}

const smallMagic = "kaigofhir small file 1 "
