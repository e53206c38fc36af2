package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"
)

// Expiry gives when what TLS_CERT and TLS_CA name ends, by variable, and nothing
// for what is not set. Of TLS_CERT it is the first end in the chain; of TLS_CA the
// last, because an authority stands beside the one that it replaces for a while.
// What cannot be read, or does not fit its key, has the zero time: a process that
// serves an older certificate from memory will not get over that end.
func (c Config) Expiry() map[string]time.Time {
	ends := map[string]time.Time{}
	if c.TLSCert != "" {
		ends["TLS_CERT"] = chainEnd(c.TLSCert, c.TLSKey)
	}
	if c.TLSCA != "" {
		ends["TLS_CA"] = authorityEnd(c.TLSCA)
	}
	return ends
}

func chainEnd(cert, key string) time.Time {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return time.Time{}
	}
	var first time.Time
	for _, der := range pair.Certificate {
		link, err := x509.ParseCertificate(der)
		if err != nil {
			return time.Time{}
		}
		if first.IsZero() || link.NotAfter.Before(first) {
			first = link.NotAfter
		}
	}
	return first
}

func authorityEnd(path string) time.Time {
	rest, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}
	}
	var last time.Time
	for block, more := pem.Decode(rest); block != nil; block, more = pem.Decode(more) {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && cert.NotAfter.After(last) {
			last = cert.NotAfter
		}
	}
	return last
}
