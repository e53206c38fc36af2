package product

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"
)

// Object is a JSON object as an outsider sees it.
type Object = map[string]any

// Person is a REST client, signed in after Register.
type Person struct {
	Edge  string
	Token string
	User  Object
}

// Register makes a new account with a role in a city.
func (p *Product) Register(ctx context.Context, role, city string) (*Person, error) {
	who := &Person{Edge: p.Edge}
	session, err := who.Want(ctx, http.StatusCreated, "POST", "/auth/register", Object{
		"email": role + "-" + uuid.NewString() + "@example.com", "password": "secure123",
		"firstName": "Ada", "lastName": "Byron", "phoneNumber": "+14155550100", "role": role, "city": city,
	})
	if err != nil {
		return nil, err
	}
	who.Token, _ = session["token"].(string)
	who.User, _ = session["user"].(Object)
	return who, nil
}

// ID is the account's user id, which for a rider is the partner id too.
func (w *Person) ID() string {
	id, _ := w.User["id"].(string)
	return id
}

// Want performs a request and returns the body, or an error when the status
// is another.
func (w *Person) Want(ctx context.Context, status int, method, path string, body any) (Object, error) {
	got, answer, err := w.Do(ctx, method, path, body)
	if err == nil && got != status {
		err = fmt.Errorf("%s %s: %d instead of %d: %v", method, path, got, status, answer)
	}
	return answer, err
}

// Do performs a request with a JSON body, nil for none, and returns the
// status and the body, which is empty when there is none.
func (w *Person) Do(ctx context.Context, method, path string, body any) (int, Object, error) {
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.Edge+path, payload)
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.Token != "" {
		req.Header.Set("Authorization", "Bearer "+w.Token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, err
	}
	answer := Object{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			return 0, nil, fmt.Errorf("%s %s answered %d %.200s: %w", method, path, res.StatusCode, raw, err)
		}
	}
	return res.StatusCode, answer, nil
}
