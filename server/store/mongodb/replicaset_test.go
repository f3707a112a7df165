package mongodb_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// replicaSet stands in front of the test server and plays the primary of a
// replica set of one: sessions and transactions as the driver sees them. The
// writes of a transaction are held back until its commit and carried out then
// under a lock, so that an abort leaves nothing and nobody sees half of them.
// It holds every command to the rules of the protocol and keeps a log. It is
// no MongoDB: what it shows is that the engine and the driver say the right
// things in the right order.
// https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md
type replicaSet struct {
	t        testing.TB
	uri      string
	upstream string

	data sync.RWMutex // held for writing while a commit is carried out

	mu        sync.Mutex
	active    string // the transaction that holds the state document
	open      map[string]*transaction
	committed map[string]bool
	log       []string
	size      int // of the largest command
	// fault may answer a command instead of the server; late faults answer
	// after the command was carried out.
	fault func(command string) *fault
	// held, where not nil, may make a command wait.
	held  func(command string)
	clock atomic.Uint32
	after atomic.Uint32 // the time that the last command asked for
	// collections tells more about collections than the test server does.
	collections map[string]collection
}

type transaction struct {
	id   string
	held []message
}

type collection struct {
	options bson.D
	number  byte
}

type fault struct {
	late   bool
	code   int32
	labels []string
}

// newReplicaSet starts one on a port of its own.
func newReplicaSet(t testing.TB) *replicaSet {
	t.Helper()
	rs := &replicaSet{t: t, upstream: strings.TrimPrefix(plainServer(t), "mongodb://"), open: map[string]*transaction{}, committed: map[string]bool{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rs.uri = "mongodb://" + l.Addr().String() + "/?replicaSet=rs0"
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { _ = c.Close() })
			served.Go(func() { rs.serve(c) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		served.Wait()
	})
	return rs
}

func (rs *replicaSet) address() string {
	return strings.TrimSuffix(strings.TrimPrefix(rs.uri, "mongodb://"), "/?replicaSet=rs0")
}

// commands returns the log and clears it.
func (rs *replicaSet) commands() []string {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	out := rs.log
	rs.log = nil
	return out
}

// largest is the size of the largest command since forgetLargest.
func (rs *replicaSet) largest() int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.size
}

func (rs *replicaSet) forgetLargest() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.size = 0
}

// setOptions gives a collection options, setNumber the number that MongoDB gives
// one when it is made.
func (rs *replicaSet) setOptions(name string, options bson.D) {
	rs.collections = map[string]collection{name: {options: options}}
}

func (rs *replicaSet) setNumber(name string, number byte) {
	rs.collections = map[string]collection{name: {number: number}}
}

// describeCollections completes an answer to listCollections.
func (rs *replicaSet) describeCollections(reply bson.D) (bson.D, error) {
	raw, err := bson.Marshal(reply)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Cursor struct {
			ID         int64    `bson:"id"`
			Namespace  string   `bson:"ns"`
			FirstBatch []bson.M `bson:"firstBatch"`
		} `bson:"cursor"`
	}
	if err := bson.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	for _, c := range answer.Cursor.FirstBatch {
		more, known := rs.collections[c["name"].(string)]
		if known {
			c["options"] = more.options
			c["info"] = bson.M{"readOnly": false, "uuid": bson.Binary{Subtype: 4, Data: slices.Repeat([]byte{more.number}, 16)}}
		}
	}
	return bson.D{{Key: "cursor", Value: answer.Cursor}, {Key: "ok", Value: 1}}, nil
}

// hold sets what may make the end of a transaction wait.
func (rs *replicaSet) hold(f func(command string)) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.held = f
}

func (rs *replicaSet) setFault(f func(command string) *fault) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.fault = f
}

func (rs *replicaSet) serve(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", rs.upstream)
	if err != nil {
		rs.t.Error(err)
		return
	}
	defer up.Close()
	for {
		m, err := readMessage(c)
		if err != nil {
			return
		}
		reply, err := rs.answer(m, up)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				rs.t.Errorf("%s: %v", m.command(), err)
			}
			return
		}
		if _, err := c.Write(m.reply(rs.stamp(reply))); err != nil {
			return
		}
	}
}

// stamp adds the times of the cluster to a reply.
func (rs *replicaSet) stamp(reply bson.D) bson.D {
	now := bson.Timestamp{T: 1, I: rs.clock.Add(1)}
	return append(reply, bson.E{Key: "operationTime", Value: now},
		bson.E{Key: "$clusterTime", Value: bson.D{{Key: "clusterTime", Value: now}}})
}

func (rs *replicaSet) answer(m message, up net.Conn) (bson.D, error) {
	switch name := m.command(); name {
	case "hello", "isMaster", "ismaster":
		a := rs.address()
		return bson.D{
			{Key: "ok", Value: 1}, {Key: "helloOk", Value: true}, {Key: "isWritablePrimary", Value: true}, {Key: "ismaster", Value: true},
			{Key: "setName", Value: "rs0"}, {Key: "setVersion", Value: 1}, {Key: "hosts", Value: bson.A{a}}, {Key: "primary", Value: a}, {Key: "me", Value: a},
			{Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 21}, {Key: "logicalSessionTimeoutMinutes", Value: 30},
			{Key: "maxBsonObjectSize", Value: 16 << 20}, {Key: "maxMessageSizeBytes", Value: 48000000}, {Key: "maxWriteBatchSize", Value: 100000},
		}, nil
	case "endSessions", "ping":
		return bson.D{{Key: "ok", Value: 1}}, nil
	case "commitTransaction", "abortTransaction":
		return rs.end(m, name, up)
	default:
		return rs.do(m, up)
	}
}

// do carries out or holds back a command.
func (rs *replicaSet) do(m message, up net.Conn) (bson.D, error) {
	line, refusal, tx := rs.admit(m)
	if refusal != nil {
		return refusal, nil
	}
	f := rs.faultFor(line)
	if f != nil && !f.late {
		rs.drop(tx, f)
		return f.reply(), nil
	}
	if tx != nil && (m.command() == "insert" || m.command() == "update") {
		rs.mu.Lock()
		tx.held = append(tx.held, m)
		rs.mu.Unlock()
		return bson.D{{Key: "n", Value: m.writes()}, {Key: "nModified", Value: m.writes()}, {Key: "ok", Value: 1}}, nil
	}
	rs.data.RLock()
	reply, err := m.forward(up)
	rs.data.RUnlock()
	switch {
	case err != nil:
		return nil, err
	case f != nil:
		return f.reply(), nil
	case m.command() == "listCollections":
		return rs.describeCollections(reply)
	}
	return reply, nil
}

// admit logs a command, holds it to the rules, and turns away a transaction
// while another is under way.
func (rs *replicaSet) admit(m message) (line string, refusal bson.D, tx *transaction) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	line = m.describe()
	rs.log = append(rs.log, line)
	rs.size = max(rs.size, len(m.body))
	if _, at, ok := m.body.Lookup("readConcern", "afterClusterTime").TimestampOK(); ok {
		rs.after.Store(at)
	}
	if !m.has("autocommit") {
		return line, nil, nil
	}
	id := m.transaction()
	if m.has("writeConcern") {
		rs.t.Errorf("%s: a write concern inside a transaction", line)
	}
	if m.has("startTransaction") {
		if rs.active != "" {
			return line, (&fault{code: 112, labels: []string{"TransientTransactionError"}}).reply(), nil
		}
		if level := m.level(); level != "snapshot" {
			rs.t.Errorf("%s: a transaction with read concern %q", line, level)
		}
		rs.active, rs.open[id] = id, &transaction{id: id}
	}
	tx = rs.open[id]
	if tx == nil {
		return line, (&fault{code: 251, labels: []string{"TransientTransactionError"}}).reply(), nil // NoSuchTransaction
	}
	if len(tx.held) > 0 && m.command() != "insert" && m.command() != "update" {
		rs.t.Errorf("%s: this stand-in cannot read after a write of the same transaction", line)
	}
	return line, nil, tx
}

// end commits or aborts.
func (rs *replicaSet) end(m message, name string, up net.Conn) (bson.D, error) {
	id := m.transaction()
	rs.mu.Lock()
	rs.log = append(rs.log, m.describe())
	tx, done, held := rs.open[id], rs.committed[id], rs.held
	rs.mu.Unlock()
	if held != nil {
		held(name)
	}
	if name == "commitTransaction" && m.concern() != "majority" {
		rs.t.Errorf("a commit with write concern %q", m.concern())
	}
	if tx == nil && !done {
		return (&fault{code: 251, labels: []string{"TransientTransactionError"}}).reply(), nil
	}
	f := rs.faultFor(name)
	if f != nil && !f.late {
		if len(f.labels) == 0 { // it is over
			rs.drop(tx, nil)
		} else {
			rs.drop(tx, f)
		}
		return f.reply(), nil
	}
	if tx != nil && name == "commitTransaction" {
		if err := rs.carryOut(tx, up); err != nil {
			return nil, err
		}
	}
	rs.drop(tx, nil)
	if f != nil {
		return f.reply(), nil
	}
	return bson.D{{Key: "ok", Value: 1}}, nil
}

func (rs *replicaSet) carryOut(tx *transaction, up net.Conn) error {
	rs.data.Lock()
	defer rs.data.Unlock()
	for _, m := range tx.held {
		reply, err := m.forward(up)
		if err != nil {
			return err
		}
		raw, err := bson.Marshal(reply)
		if err != nil {
			return err
		}
		if n, ok := bson.Raw(raw).Lookup("n").AsInt64OK(); !ok || int(n) != m.writes() || bson.Raw(raw).Lookup("writeErrors").Type != 0 {
			rs.t.Errorf("%s: at the commit the server says %v", m.describe(), reply)
		}
	}
	rs.mu.Lock()
	rs.committed[tx.id] = true
	rs.mu.Unlock()
	return nil
}

// drop forgets a transaction that has ended, or that a transient error ended.
func (rs *replicaSet) drop(tx *transaction, f *fault) {
	if tx == nil || f != nil && !slices.Contains(f.labels, "TransientTransactionError") {
		return
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.open, tx.id)
	if rs.active == tx.id {
		rs.active = ""
	}
}

func (rs *replicaSet) faultFor(line string) *fault {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.fault == nil {
		return nil
	}
	return rs.fault(line)
}

func (f *fault) reply() bson.D {
	return bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: f.code}, {Key: "errmsg", Value: "injected"}, {Key: "errorLabels", Value: f.labels}}
}

// message is one OP_MSG, or an OP_QUERY as drivers use it to say hello.
// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
type message struct {
	requestID int32
	opcode    int32
	body      bson.Raw
	sequences []sequence
}

type sequence struct {
	name string
	raw  []byte // as it came, without kind
	n    int
}

const (
	opReply = 1
	opQuery = 2004
	opMsg   = 2013
)

func readMessage(r io.Reader) (message, error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return message{}, err
	}
	m := message{requestID: le32(head[4:]), opcode: le32(head[12:])}
	p := make([]byte, le32(head[:])-16)
	if _, err := io.ReadFull(r, p); err != nil {
		return m, err
	}
	switch m.opcode {
	case opReply:
		m.body = p[20:]
		return m, nil
	case opQuery:
		name := slices.Index(p[4:], 0)
		m.body = p[4+name+1+8:]
		return m, nil
	case opMsg:
		return m, m.sections(p[4:])
	}
	return m, fmt.Errorf("opcode %d", m.opcode)
}

func (m *message) sections(p []byte) error {
	for len(p) > 0 {
		kind := p[0]
		n := le32(p[1:])
		part := p[1 : 1+n]
		p = p[1+n:]
		if kind == 0 {
			m.body = part
			continue
		}
		end := slices.Index(part[4:], 0)
		s := sequence{name: string(part[4 : 4+end]), raw: part}
		for docs := part[4+end+1:]; len(docs) > 0; docs = docs[le32(docs):] {
			s.n++
		}
		m.sequences = append(m.sequences, s)
	}
	return m.body.Validate()
}

func le32(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }

func (m message) command() string {
	elements, err := m.body.Elements()
	if err != nil || len(elements) == 0 {
		return "?"
	}
	return elements[0].Key()
}

func (m message) has(field string) bool { return m.body.Lookup(field).Type != 0 }

func (m message) level() string {
	s, _ := m.body.Lookup("readConcern", "level").StringValueOK()
	return s
}

func (m message) concern() string {
	s, _ := m.body.Lookup("writeConcern", "w").StringValueOK()
	return s
}

func (m message) transaction() string {
	return m.body.Lookup("lsid").String() + m.body.Lookup("txnNumber").String()
}

// describe is a line of the log.
func (m message) describe() string {
	out := m.command()
	if c, ok := m.body.Lookup(out).StringValueOK(); ok {
		out += " " + c
	}
	if m.has("startTransaction") {
		out += " start"
	}
	if m.has("autocommit") {
		out += " in transaction"
	} else if level := m.level(); level != "" {
		out += " " + level
		if m.body.Lookup("readConcern", "afterClusterTime").Type != 0 {
			out += " after"
		}
	}
	return out
}

// writes counts the documents or updates of a write.
func (m message) writes() int {
	n := 0
	for _, s := range m.sequences {
		n += s.n
	}
	for _, field := range []string{"documents", "updates"} {
		if list, ok := m.body.Lookup(field).ArrayOK(); ok {
			values, _ := list.Values()
			n += len(values)
		}
	}
	return n
}

// sessionFields are what the test server does not know.
var sessionFields = []string{"lsid", "txnNumber", "startTransaction", "autocommit", "readConcern", "writeConcern", "$clusterTime"}

// forward asks the test server.
func (m message) forward(up net.Conn) (bson.D, error) {
	var d bson.D
	if err := bson.Unmarshal(m.body, &d); err != nil {
		return nil, err
	}
	d = slices.DeleteFunc(d, func(e bson.E) bool { return slices.Contains(sessionFields, e.Key) })
	body, err := bson.Marshal(d)
	if err != nil {
		return nil, err
	}
	p := append(make([]byte, 20), 0)
	p = append(p, body...)
	for _, s := range m.sequences {
		p = append(append(p, 1), s.raw...)
	}
	if _, err := up.Write(header(p, m.requestID, 0, opMsg)); err != nil {
		return nil, err
	}
	answer, err := readMessage(up)
	if err != nil {
		return nil, err
	}
	var reply bson.D
	return reply, bson.Unmarshal(answer.body, &reply)
}

// reply encodes the answer to a message.
func (m message) reply(d bson.D) []byte {
	body, err := bson.Marshal(d)
	if err != nil {
		panic(err)
	}
	if m.opcode == opQuery {
		p := make([]byte, 36)
		binary.LittleEndian.PutUint32(p[32:], 1)
		return header(append(p, body...), 0, m.requestID, opReply)
	}
	return header(append(append(make([]byte, 20), 0), body...), 0, m.requestID, opMsg)
}

func header(p []byte, id, to, opcode int32) []byte {
	binary.LittleEndian.PutUint32(p, uint32(len(p)))
	binary.LittleEndian.PutUint32(p[4:], uint32(id))
	binary.LittleEndian.PutUint32(p[8:], uint32(to))
	binary.LittleEndian.PutUint32(p[12:], uint32(opcode))
	return p
}
