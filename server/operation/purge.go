package operation

import (
	"context"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

// maxPurge bounds the resources of one call.
const maxPurge = 10_000

// Purge is $purge at the system level: an operator erases the resources named,
// with all their versions or, with "history-only", without the current one, for
// good. It starts a stored job, and only with "erase-for-good".
func Purge(d *Desk, e *upkeep.Eraser) Operation {
	return Operation{
		Name: upkeep.Purge, Definition: care.Canonical + "/OperationDefinition/purge", System: true, Writes: true, Job: true,
		Run: func(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
			if err := d.admit(ctx, c, in); err != nil {
				return nil, err
			}
			order := upkeep.Order{Caller: c.Caller, RequestID: c.RequestID, HistoryOnly: in.Text("history-only") == "true"}
			var err error
			if order.Keys, err = keysToPurge(c.Base, in.Texts("resource")); err != nil {
				return nil, err
			}
			missing, err := e.Missing(ctx, order.Keys)
			switch {
			case err != nil:
				return nil, interaction.Internalf(err)
			case len(missing) > 0: // all are there, or nothing is done
				return nil, interaction.Refuse(interaction.Unknown, fhir.NotFound, "purge-unknown", fhir.Messagef(
					"nothing is erased: %d of the resources are not there, %s the first of them",
					"消去しません。%d 件のリソースが見つかりません(最初のもの: %s)", len(missing), missing[0].String()))
			case in.Text("erase-for-good") != "true":
				return nil, unusable("purge-unconfirmed", fhir.Messagef(
					"nothing is erased: %d resources were found; there is no way back, so repeat it with erase-for-good = true",
					"消去しません。%d 件のリソースが見つかりました。元に戻せないため、erase-for-good = true を指定してもう一度お試しください", len(order.Keys)))
			}
			return &interaction.Reply{Later: &interaction.Later{Kind: upkeep.Purge, Payload: order}}, nil
		},
	}
}

// keysToPurge reads references of the form Type/id, each once.
func keysToPurge(base string, texts []string) ([]store.Key, error) {
	if len(texts) == 0 {
		return nil, missing("resource")
	}
	if len(texts) > maxPurge {
		return nil, interaction.Refuse(interaction.TooLarge, fhir.TooCostly, "purge-too-many", fhir.Messagef(
			"at most %d resources are erased at once", "一度に消去できるリソースは %d 件までです", maxPurge))
	}
	var keys []store.Key
	seen := map[store.Key]bool{}
	for _, text := range texts {
		typ, id, _ := strings.Cut(strings.TrimPrefix(text, base+"/"), "/")
		key := store.Key{Type: typ, ID: id}
		switch {
		case !interaction.IsResourceType(typ) || !interaction.ValidID(id):
			return nil, unusable("purge-resource", fhir.Messagef("resource is of the form Type/id", "resource は「リソース型/id」の形で指定してください"))
		case typ == "AuditEvent":
			return nil, interaction.Refuse(interaction.Denied, fhir.BusinessRule, "purge-record", fhir.Messagef(
				"the record of accesses is not erased", "アクセスの記録は消去できません"))
		case !seen[key]:
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys, nil
}
