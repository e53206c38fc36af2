package testenv

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tiffin/local/backing"
	"tiffin/local/rig"
	"tiffin/local/testenv/holder"
)

// Authority makes a certificate authority of this test's own, and with it a
// certificate for loopback. Two of them do not trust each other.
func Authority(t testing.TB) *backing.TLSFiles {
	t.Helper()
	dir := t.TempDir()
	files := &backing.TLSFiles{
		CA: filepath.Join(dir, "ca.crt"), Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key"),
	}
	root := &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	rootKey := must[*ecdsa.PrivateKey](t, "key")(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	writePEM(t, files.CA, "CERTIFICATE", sign(t, root, root, rootKey, rootKey))
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	key := must[*ecdsa.PrivateKey](t, "key")(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	writePEM(t, files.Cert, "CERTIFICATE", sign(t, leaf, root, key, rootKey))
	writePEM(t, files.Key, "PRIVATE KEY", must[[]byte](t, "key")(x509.MarshalPKCS8PrivateKey(key)))
	return files
}

// sign makes the certificate of key, good for a day.
func sign(t testing.TB, cert, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) []byte {
	t.Helper()
	cert.SerialNumber = must[*big.Int](t, "serial")(rand.Int(rand.Reader, big.NewInt(1<<62)))
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	return must[[]byte](t, "certificate")(x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer))
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatalf("testenv: %v", err)
	}
}

// SecureServers are one server of each kind that speak TLS and nothing else.
type SecureServers struct{ NATS, Postgres, Redis, RabbitMQ, Mongo string }

// Secure starts them with the files. It takes some seconds.
func Secure(t testing.TB, files *backing.TLSFiles) SecureServers {
	t.Helper()
	if err := holder.BuildFerret(t.Context()); err != nil {
		t.Fatalf("testenv: %v", err)
	}
	var postgres *rig.Server
	secure := func(start func(context.Context, *rig.Rig) (*rig.Server, error)) string {
		return own(t, func(ctx context.Context, r *rig.Rig) (*rig.Server, error) {
			r.TLS = files
			return start(ctx, r)
		}).URL
	}
	var urls SecureServers
	urls.RabbitMQ = secure(func(ctx context.Context, r *rig.Rig) (*rig.Server, error) { return r.RabbitMQ(ctx) })
	urls.Redis = secure(func(ctx context.Context, r *rig.Rig) (*rig.Server, error) { return r.Redis(ctx) })
	urls.Postgres = secure(func(ctx context.Context, r *rig.Rig) (_ *rig.Server, err error) {
		postgres, err = r.Postgres(ctx, "postgres")
		return postgres, err
	})
	urls.Mongo = secure(func(ctx context.Context, r *rig.Rig) (*rig.Server, error) { return r.FerretDB(ctx, postgres) })
	nats := newNATS(t)
	nats.config.TLS = files
	nats.Start()
	urls.NATS = nats.URL
	return urls
}
