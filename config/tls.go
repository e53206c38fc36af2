package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// renewCheck is how often a served certificate is compared with its file, so
// that a renewed one is used without a restart.
const renewCheck = 10 * time.Second

// ServerTLS is what the edge serves with, read from TLS_CERT and TLS_KEY; nil
// when they are not set, for an edge behind a proxy that ends TLS. Its errors
// name the variable.
func (c Config) ServerTLS() (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	served := &certificate{cert: c.TLSCert, key: c.TLSKey}
	if _, err := served.get(time.Now()); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return served.get(time.Now()) },
	}, nil
}

// ClientTLS is how the server that the variable names is reached: nil without
// TLS_CA, and for the private servers of `tiffin up`, which listen on loopback
// alone. With it every connection is encrypted and the server's certificate
// verified against TLS_CA, whatever the URL's scheme says; there is no way back
// to plain text. TLS_CERT is shown to servers that ask for a certificate.
func (c Config) ClientTLS(variable string) (*tls.Config, error) {
	if c.TLSCA == "" || slices.Contains(c.Private, variable) {
		return nil, nil
	}
	pem, err := os.ReadFile(c.TLSCA)
	if err != nil {
		return nil, fmt.Errorf("TLS_CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("TLS_CA: %s holds no certificate in PEM form", c.TLSCA)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if c.TLSCert != "" {
		shown := &certificate{cert: c.TLSCert, key: c.TLSKey}
		if _, err := shown.get(time.Now()); err != nil {
			return nil, err
		}
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown.get(time.Now()) }
	}
	return conf, nil
}

// validateTLS looks at what is set, not at the files: those are read when they
// are used.
func (c Config) validateTLS() error {
	if (c.TLSCert == "") == (c.TLSKey == "") {
		return nil
	}
	if c.TLSCert == "" {
		return errors.New("TLS_CERT: not set, but TLS_KEY is")
	}
	return errors.New("TLS_KEY: not set, but TLS_CERT is")
}

// certificate is a pair of files that may be replaced at any time.
type certificate struct {
	cert, key string

	mu      sync.Mutex
	checked time.Time
	changed time.Time // modification time of the file that is in use
	current *tls.Certificate
}

// get gives the newest pair that could be read. While one file is replaced and
// the other is not, the pair does not match and the old one stays in use.
func (c *certificate) get(now time.Time) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil && now.Sub(c.checked) < renewCheck {
		return c.current, nil
	}
	c.checked = now
	info, err := os.Stat(c.cert)
	if err == nil && c.current != nil && info.ModTime().Equal(c.changed) {
		return c.current, nil
	}
	pair, perr := tls.LoadX509KeyPair(c.cert, c.key)
	if err = errors.Join(err, perr); err != nil {
		if c.current != nil {
			return c.current, nil
		}
		return nil, fmt.Errorf("TLS_CERT, TLS_KEY: %w", perr)
	}
	c.current, c.changed = &pair, info.ModTime()
	return c.current, nil
}
