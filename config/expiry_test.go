package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pems are self-signed certificates of one key that end after the given times,
// in one file, beside that of the key.
func pems(t *testing.T, lives ...time.Duration) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	var text []byte
	for _, life := range lives {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(life)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
		require.NoError(t, err)
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(secret)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	require.NoError(t, os.WriteFile(cert, text, 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return cert, key
}

func TestAChainEndsWithItsFirstAndAuthoritiesWithTheirLast(t *testing.T) {
	t.Parallel()
	cert, key := pems(t, 3*time.Hour, time.Hour, 2*time.Hour)
	ends := Config{TLSCert: cert, TLSKey: key, TLSCA: cert}.Expiry()
	require.WithinDuration(t, time.Now().Add(time.Hour), ends["TLS_CERT"], time.Minute)
	require.WithinDuration(t, time.Now().Add(3*time.Hour), ends["TLS_CA"], time.Minute)
}
