package testenv

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tiffin/local/testenv/holder"
)

// RabbitMQ returns the URL of a fresh virtual host on a real broker. It is
// deleted when the test ends, with its connections.
func RabbitMQ(t testing.TB) string {
	t.Helper()
	urls := join(t, holder.RabbitMQ)
	api, name := urls[holder.ManagementURL], freshName()
	u := must[*url.URL](t, "URL")(url.Parse(urls[holder.URL]))
	vhost := api + "/api/vhosts/" + name
	if err := manage(t.Context(), http.MethodPut, vhost, ""); err != nil {
		t.Fatalf("testenv: create virtual host: %v", err)
	}
	cleanup(t, "delete virtual host", func(ctx context.Context) error {
		return manage(ctx, http.MethodDelete, vhost, "")
	})
	permissions := `{"configure": ".*", "write": ".*", "read": ".*"}`
	if err := manage(t.Context(), http.MethodPut, api+"/api/permissions/"+name+"/"+u.User.Username(), permissions); err != nil {
		t.Fatalf("testenv: grant permissions: %v", err)
	}
	return withPath(t, urls[holder.URL], name)
}

// manage calls RabbitMQ's management API; the URL carries the password.
func manage(ctx context.Context, method, url, body string) error {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	// No kept connections: their goroutines would look like leaks to goleak.
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, req.URL.Path, res.Status)
	}
	return nil
}
