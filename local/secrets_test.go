package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/config"
)

func TestSecretsAreMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets")
	first, err := loadSecrets(path)
	require.NoError(t, err)
	a, b := first.get("A"), first.get("B")
	require.NotEqual(t, a, b)
	require.Equal(t, a, first.get("A"))
	require.Regexp(t, `^t[0-9a-f]{48}$`, a, "no URL, shell or nats.conf needs it quoted")
	require.NoError(t, first.save())

	second, err := loadSecrets(path)
	require.NoError(t, err)
	require.Equal(t, a, second.get("A"))
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o500))
	t.Cleanup(func() { require.NoError(t, os.Chmod(filepath.Dir(path), 0o700)) })
	require.NoError(t, second.save(), "nothing new, nothing written")
}

func TestSecretsFillWhatTheEnvironmentLeavesOpen(t *testing.T) {
	t.Parallel()
	s, err := loadSecrets(filepath.Join(t.TempDir(), "secrets"))
	require.NoError(t, err)
	c, err := config.FromMap(map[string]string{"NATS_EDGE_PASSWORD": "mine"})
	require.NoError(t, err)
	public := c.JWTSecret
	require.NoError(t, s.fill(&c))
	require.NotEqual(t, public, c.JWTSecret, "the default secret is public")
	require.GreaterOrEqual(t, len(c.JWTSecret), 32)
	require.Equal(t, "mine", c.NATSPasswords["edge"])
	for _, role := range config.NATSRoles {
		require.NotEmpty(t, c.NATSPasswords[role], role)
	}
}

func TestSecretsOfTheEnvironmentWin(t *testing.T) {
	t.Parallel()
	s, err := loadSecrets(filepath.Join(t.TempDir(), "secrets"))
	require.NoError(t, err)
	c, err := config.FromMap(map[string]string{"JWT_SECRET": "chosen", "NATS_URL": "nats://elsewhere:4222"})
	require.NoError(t, err)
	require.NoError(t, s.fill(&c))
	require.Equal(t, "chosen", c.JWTSecret)
	require.Empty(t, c.NATSPasswords["edge"], "another NATS server does not know passwords made here")
}
