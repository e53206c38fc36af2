package local

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"

	"tiffin/config"
	"tiffin/shard/sealed"
)

// secrets are the passwords of the private servers and of the NATS users, and
// the key that signs tokens. They are made once per home and kept, because the
// data of the servers is locked with them.
type secrets struct {
	path   string
	values map[string]string
	dirty  bool
}

func loadSecrets(path string) (*secrets, error) {
	values, err := readEnv(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	return &secrets{path: path, values: values}, nil
}

// get returns the secret of that name, making it when it is new.
func (s *secrets) get(name string) string {
	if s.values[name] == "" {
		var b [24]byte
		// Never fails: crypto/rand ends the process instead.
		_, _ = rand.Read(b[:])
		// Letters and digits only, and a letter first: it goes into URLs, shell
		// lines and nats.conf, where "1e9" would be a number.
		s.values[name] = "t" + hex.EncodeToString(b[:])
		s.dirty = true
	}
	return s.values[name]
}

// dataKeys returns the key of personal data, making it when it is new. Without
// it what is in the databases cannot be read any more.
func (s *secrets) dataKeys() string {
	if s.values["DATA_KEYS"] == "" {
		s.values["DATA_KEYS"], s.dirty = sealed.Generate("local-1"), true
	}
	return s.values["DATA_KEYS"]
}

// save writes what is new; it must happen before any server is made with it.
func (s *secrets) save() error {
	if !s.dirty {
		return nil
	}
	vars := make([]variable, 0, len(s.values))
	for name, value := range s.values {
		vars = append(vars, variable{name, value})
	}
	sort.Slice(vars, func(i, j int) bool { return vars[i].name < vars[j].name })
	if err := writeFile(s.path, formatEnv(vars)); err != nil {
		return err
	}
	s.dirty = false
	return nil
}

// fill gives the configuration every secret that the environment did not set.
func (s *secrets) fill(c *config.Config) error {
	defaults, err := config.FromMap(nil)
	if err != nil {
		return err
	}
	if c.JWTSecret == defaults.JWTSecret {
		c.JWTSecret = s.get("JWT_SECRET")
	}
	if c.DataKeys == "" {
		c.DataKeys = s.dataKeys()
	}
	passwords := make(map[string]string, len(config.NATSRoles))
	for _, role := range config.NATSRoles {
		passwords[role] = c.NATSPasswords[role]
		if passwords[role] == "" && c.NATSURL == "" {
			passwords[role] = s.get(natsVariable(role))
		}
	}
	c.NATSPasswords = passwords
	return nil
}

func natsVariable(role string) string { return "NATS_" + strings.ToUpper(role) + "_PASSWORD" }
