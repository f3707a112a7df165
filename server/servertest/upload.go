package servertest

import (
	"bytes"
	"mime/multipart"
	"net/http"

	"github.com/kaigofhir/kaigofhir/mapping"
)

// Upload sends files to $intake as a form.
func (c *Client) Upload(files ...mapping.File) *Response {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range files {
		part, err := form.CreateFormFile("file", f.Name)
		if err == nil {
			_, err = part.Write(f.Data)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		c.t.Fatal(err)
	}
	return c.Do(http.MethodPost, "$intake", body.String(), "Content-Type: "+form.FormDataContentType())
}
