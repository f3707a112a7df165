package main

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// printConfig writes the settings of a command as they are in force, each with
// where it came from. What may be secret in a value, the credentials and the
// query of a URL, is left out.
func (a *app) printConfig(ctx *kong.Context, w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM")
	for _, flag := range ctx.Selected().Flags {
		if flag.Name == "print-config" || flag.Name == "help" {
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", flag.Name, withoutSecrets(settingText(flag.Target)), a.origin(ctx, flag))
	}
	return table.Flush()
}

// origin tells where the value of a flag came from: the command line wins over
// the environment, which wins over the file.
func (a *app) origin(ctx *kong.Context, flag *kong.Flag) string {
	from := "default"
	for _, env := range flag.Envs {
		if a.getenv(env) != "" {
			from = "environment " + env
		}
	}
	for _, p := range ctx.Path {
		switch {
		case p.Flag != flag:
		case p.Resolved:
			from = "file"
		default:
			return "flag"
		}
	}
	return from
}

func settingText(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = settingText(v.Index(i))
		}
		return strings.Join(parts, ",")
	}
	if text := fmt.Sprint(v.Interface()); text != "" {
		return text
	}
	return "-"
}

var (
	credentials = regexp.MustCompile(`://[^?\s]*@`)
	urlQuery    = regexp.MustCompile(`(://[^?\s]*)\?\S*`)
)

func withoutSecrets(s string) string {
	return urlQuery.ReplaceAllString(credentials.ReplaceAllString(s, "://***@"), "$1?***")
}
