package local

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// variable is one NAME=value of an env file.
type variable struct{ name, value string }

// plain is what a shell takes as it stands; anything else is quoted.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.,:/@%+=?~-]*$`)

// formatEnv writes variables as lines that both a shell (`. .tiffin/env`) and
// godotenv read.
func formatEnv(vars []variable) []byte {
	var b strings.Builder
	for _, v := range vars {
		value := v.value
		if !plain.MatchString(value) {
			value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		}
		b.WriteString(v.name + "=" + value + "\n")
	}
	return []byte(b.String())
}

// readEnv reads what formatEnv wrote; a missing file is empty.
func readEnv(path string) (map[string]string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	for line := range strings.Lines(string(content)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		if quoted, ok := strings.CutPrefix(value, "'"); ok {
			value = strings.ReplaceAll(strings.TrimSuffix(quoted, "'"), `'\''`, "'")
		}
		vars[name] = value
	}
	return vars, nil
}
