package local

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"tiffin/config"
)

const (
	readyTick = 100 * time.Millisecond
	// impatience is after how long people are told what is still missing.
	impatience = 20 * time.Second
)

// awaitReady asks GET /readyz until it answers 200, and says every now and
// then what it is waiting for.
func awaitReady(ctx context.Context, c config.Config, p *progress) error {
	host, bind := c.BindAddress, c.BindAddress
	if bind == "" || bind == "0.0.0.0" || bind == "::" {
		host = "127.0.0.1"
	}
	scheme, transport := "http", &http.Transport{DisableKeepAlives: true}
	if c.TLSCert != "" {
		// This process itself answers, and the certificate need not name loopback.
		scheme, transport.TLSClientConfig = "https", &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
	}
	url := scheme + "://" + net.JoinHostPort(host, strconv.Itoa(c.EdgePort)) + "/readyz"
	client := &http.Client{Timeout: 2 * time.Second, Transport: transport}
	tick, news := time.NewTicker(readyTick), time.NewTicker(impatience)
	defer tick.Stop()
	defer news.Stop()
	missing := []string{"the edge"}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-news.C:
			p.line("  still waiting for " + strings.Join(missing, ", "))
		case <-tick.C:
			ok, down := askReady(ctx, client, url)
			if ok {
				return nil
			}
			if down != nil {
				missing = down
			}
		}
	}
}

// askReady tells whether the fleet is ready, and otherwise which checks fail;
// nil when nobody answers.
func askReady(ctx context.Context, client *http.Client, url string) (bool, []string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, nil
	}
	res, err := client.Do(req)
	if err != nil {
		return false, nil
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return true, nil
	}
	var report struct {
		Checks map[string]struct {
			Status string `json:"status"`
			Error  string `json:"error"`
		} `json:"checks"`
	}
	if json.NewDecoder(res.Body).Decode(&report) != nil {
		return false, nil
	}
	var down []string
	for name, check := range report.Checks {
		if check.Status != "ok" {
			down = append(down, fmt.Sprintf("%s (%s)", name, check.Error))
		}
	}
	sort.Strings(down)
	return false, down
}
