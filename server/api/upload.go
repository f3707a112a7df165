package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// maxFiles bounds the files of one upload.
const maxFiles = 200

// intake answers POST /fhir/$intake: care records as files, of which one
// transaction is made.
func (x *exchange) intake() error {
	if x.Request.Method != http.MethodPost {
		x.Header("Allow", "POST, OPTIONS")
		return notHere(x)
	}
	files, err := x.files()
	if err != nil {
		return err
	}
	b, err := x.api.cfg.Intake(x.Request.Context(), x.call, files)
	if err != nil {
		return err
	}
	return x.sendBundle(b)
}

// files reads the uploaded files: the parts of a form that have a file name,
// or the one body that Content-Disposition names.
func (x *exchange) files() ([]File, error) {
	data, err := x.body()
	if err != nil {
		return nil, err
	}
	mediaType, params, err := mime.ParseMediaType(x.GetHeader("Content-Type"))
	if err == nil && mediaType == "multipart/form-data" {
		return formFiles(data, params["boundary"])
	}
	name := fileName(x.GetHeader("Content-Disposition"))
	switch {
	case name == "":
		return nil, interaction.Refuse(interaction.BadRequest, fhir.Required, "file-name", fhir.Messagef(
			"send files as multipart/form-data, or one file with Content-Disposition: attachment; filename=…",
			"ファイルは multipart/form-data で送るか、Content-Disposition: attachment; filename=… を付けて1件だけ送ってください"))
	case len(data) == 0:
		return nil, interaction.Refuse(interaction.BadRequest, fhir.Required, "file-empty", fhir.Messagef(
			"the file %s is empty", "ファイル %s は空です", name))
	}
	return []File{{Name: name, Data: data}}, nil
}

func formFiles(data []byte, boundary string) ([]File, error) {
	form := multipart.NewReader(bytes.NewReader(data), boundary)
	var files []File
	for {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, truncated()
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, truncated()
		}
		name := fileName(part.Header.Get("Content-Disposition"))
		if name == "" {
			continue // an ordinary field
		}
		files = append(files, File{Name: name, Data: content})
		if len(files) > maxFiles {
			return nil, tooLarge()
		}
	}
	if len(files) == 0 {
		return nil, interaction.Refuse(interaction.BadRequest, fhir.Required, "file-missing", fhir.Messagef(
			"the form holds no file", "フォームにファイルがありません"))
	}
	return files, nil
}

func truncated() error {
	return interaction.Refuse(interaction.BadRequest, fhir.Invalid, "upload-truncated", fhir.Messagef(
		"the upload ended early; nothing was stored", "アップロードが途中で切れました。何も保存していません"))
}

// fileName reads the file name of a Content-Disposition: filename*, or
// filename in UTF-8 as browsers send it. A path before the name is cut off.
// https://www.rfc-editor.org/rfc/rfc6266 https://www.rfc-editor.org/rfc/rfc7578
func fileName(disposition string) string {
	_, params, err := mime.ParseMediaType(disposition)
	name := params["filename"]
	if err != nil || name == "" {
		name = looseFileName(disposition)
	}
	if decoded, err := new(mime.WordDecoder).DecodeHeader(name); err == nil {
		name = decoded
	}
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == "/" {
		return ""
	}
	return name
}

// looseFileName finds filename="…" where the header holds bytes that the
// strict reader refuses.
func looseFileName(disposition string) string {
	_, rest, ok := strings.Cut(disposition, `filename="`)
	if !ok {
		return ""
	}
	name, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return ""
	}
	return name
}
