package operation

import (
	"context"
	"errors"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// Desk is where operators' calls are checked and recorded.
type Desk struct {
	// Recorder keeps them; nil keeps nothing (the open mode).
	Recorder interaction.Recorder
	Now      func() time.Time
}

// OperatorOnly refuses every caller but an operator.
func OperatorOnly(c policy.Caller) error {
	if c.Kind == policy.Operator && c.Unrestricted {
		return nil
	}
	return interaction.Refuse(interaction.Denied, fhir.Forbidden, "operator-only", fhir.Messagef(
		"only operators may do that", "この操作ができるのは運用者だけです"))
}

// admit refuses every caller but an operator, and records the attempt.
func (d *Desk) admit(ctx context.Context, c interaction.Call, in Input) error {
	err := OperatorOnly(c.Caller)
	if err == nil {
		return nil
	}
	return errors.Join(err, d.record(ctx, c, in, interaction.AsRefusal(err)))
}

// record keeps that the operation was called; refused is nil where it is done.
func (d *Desk) record(ctx context.Context, c interaction.Call, in Input, refused *interaction.Refusal) error {
	if d.Recorder == nil {
		return nil
	}
	return d.Recorder.Record(ctx, interaction.Access{
		Time: d.Now(), RequestID: c.RequestID, Caller: c.Caller, Interaction: in.Name, Refused: refused,
	})
}

func unusable(id string, m fhir.Message) error {
	return interaction.Refuse(interaction.Unacceptable, fhir.Value, id, m)
}
