package operation

import (
	"context"
	"errors"
	"io/fs"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store/backup"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

// Backup is $backup at the system level: an operator lets the server write all
// versions, or those after the backup "after", into the file "name" of the
// folder that the server was started with. It starts a stored job.
func Backup(d *Desk, b *upkeep.Backups) Operation {
	return Operation{
		Name: upkeep.Backup, Definition: care.Canonical + "/OperationDefinition/backup", System: true, Writes: true, Job: true,
		Run: func(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
			if err := d.admit(ctx, c, in); err != nil {
				return nil, err
			}
			order, err := backupOrder(ctx, b, in.Text("name"), in.Text("after"))
			if err != nil {
				return nil, err
			}
			if err := d.record(ctx, c, in, nil); err != nil {
				return nil, err
			}
			return &interaction.Reply{Later: &interaction.Later{Kind: upkeep.Backup, Payload: order}}, nil
		},
	}
}

// backupOrder checks what is asked for, so that the job is not started in vain.
func backupOrder(ctx context.Context, b *upkeep.Backups, name, after string) (upkeep.BackupOrder, error) {
	order := upkeep.BackupOrder{Name: name}
	if !backup.Usable(name) || after != "" && !backup.Usable(after) {
		return order, unusable("backup-name", fhir.Messagef(
			"name and after are names of files in the backup folder: letters, digits, dots, hyphens and underscores, the first a letter or digit",
			"name と after にはバックアップ用フォルダーのファイル名を指定してください(英数字・ピリオド・ハイフン・下線、先頭は英数字)"))
	}
	there, err := b.Folder.Exists(name)
	switch {
	case err != nil:
		return order, interaction.Internalf(err)
	case there:
		return order, interaction.Refuse(interaction.Colliding, fhir.Duplicate, "backup-exists", fhir.Messagef(
			"there is a backup of that name; it is not replaced", "同じ名前のバックアップがあります。上書きはしません"))
	case after == "":
		return order, nil
	}
	earlier, err := b.Folder.Range(ctx, after)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return order, unusable("backup-unknown", fhir.Messagef("there is no backup to go on after", "基準となるバックアップがありません"))
	case err != nil:
		return order, unusable("backup-unreadable", fhir.Messagef(
			"the backup to go on after is damaged, or encrypted under another master key", "基準となるバックアップが壊れているか、別の鍵で暗号化されています"))
	}
	order.Since = earlier.UpTo
	switch err := b.Source.Follows(ctx, order.Since); {
	case errors.Is(err, embedded.ErrErased):
		return order, unusable("backup-erased", fhir.Messagef(
			"records were erased since that backup, which still holds them; make a whole one, without after",
			"そのバックアップの後に消去された記録があります。after を指定せず、全体のバックアップを作成してください"))
	case errors.Is(err, embedded.ErrAhead):
		return order, unusable("backup-foreign", fhir.Messagef("that backup is not of this store", "このサーバーのバックアップではありません"))
	case err != nil:
		return order, interaction.Internalf(err)
	}
	return order, nil
}
