package backing

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// client is how a probe reaches such a server; nil for plain text.
func (f *TLSFiles) client() (*tls.Config, error) {
	if f == nil {
		return nil, nil
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate", f.CA)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}
