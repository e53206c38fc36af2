package auth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/auth"
	"tiffin/wire"
)

// fields lists the refused fields of a validation, and fails the test if a message repeats a value of the request.
func fields(t *testing.T, err error, secrets ...string) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid wire.Invalid
	require.ErrorAs(t, err, &invalid)
	names := make([]string, 0, len(invalid))
	for _, f := range invalid {
		names = append(names, f.Field)
		for _, secret := range secrets {
			require.NotContains(t, f.Message, secret)
		}
	}
	return names
}

func goodRegistration() auth.RegisterRequest {
	return auth.RegisterRequest{
		Email: "ada@example.com", Password: "secret-enough", FirstName: "Ada", LastName: "Lovelace",
		PhoneNumber: "+1 (415) 555-0100", Role: auth.RoleCustomer, City: "San Francisco",
	}
}

func TestRegisterRequest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*auth.RegisterRequest)
		want   []string
	}{
		"good":                     {func(*auth.RegisterRequest) {}, nil},
		"owner":                    {func(r *auth.RegisterRequest) { r.Role = auth.RoleOwner }, nil},
		"rider":                    {func(r *auth.RegisterRequest) { r.Role = auth.RoleRider }, nil},
		"admin asks for itself":    {func(r *auth.RegisterRequest) { r.Role = auth.RoleAdmin }, []string{"role"}},
		"operator is no role":      {func(r *auth.RegisterRequest) { r.Role = "operator" }, []string{"role"}},
		"no role":                  {func(r *auth.RegisterRequest) { r.Role = "" }, []string{"role"}},
		"role in other case":       {func(r *auth.RegisterRequest) { r.Role = "Customer" }, []string{"role"}},
		"bad address":              {func(r *auth.RegisterRequest) { r.Email = "ada" }, []string{"email"}},
		"short password":           {func(r *auth.RegisterRequest) { r.Password = "1234567" }, []string{"password"}},
		"shortest password":        {func(r *auth.RegisterRequest) { r.Password = "12345678" }, nil},
		"eight letters, 24 bytes":  {func(r *auth.RegisterRequest) { r.Password = "密密密密密密密密" }, nil},
		"longest password":         {func(r *auth.RegisterRequest) { r.Password = strings.Repeat("x", 72) }, nil},
		"password of 73 bytes":     {func(r *auth.RegisterRequest) { r.Password = strings.Repeat("x", 73) }, []string{"password"}},
		"25 letters, 75 bytes":     {func(r *auth.RegisterRequest) { r.Password = strings.Repeat("密", 25) }, []string{"password"}},
		"NUL in password":          {func(r *auth.RegisterRequest) { r.Password = "secret\x00enough" }, []string{"password"}},
		"no names":                 {func(r *auth.RegisterRequest) { r.FirstName, r.LastName = "", "  " }, []string{"firstName", "lastName"}},
		"long name":                {func(r *auth.RegisterRequest) { r.FirstName = strings.Repeat("a", 101) }, []string{"firstName"}},
		"NUL in name":              {func(r *auth.RegisterRequest) { r.LastName = "x\x00y" }, []string{"lastName"}},
		"no city":                  {func(r *auth.RegisterRequest) { r.City = "" }, []string{"city"}},
		"letters as phone":         {func(r *auth.RegisterRequest) { r.PhoneNumber = "call me" }, []string{"phoneNumber"}},
		"phone too short":          {func(r *auth.RegisterRequest) { r.PhoneNumber = "+1 23" }, []string{"phoneNumber"}},
		"phone too long":           {func(r *auth.RegisterRequest) { r.PhoneNumber = strings.Repeat("1", 21) }, []string{"phoneNumber"}},
		"nothing":                  {func(r *auth.RegisterRequest) { *r = auth.RegisterRequest{} }, []string{"email", "password", "city", "firstName", "lastName", "phoneNumber", "role"}},
		"seed's registration":      {func(r *auth.RegisterRequest) { r.PhoneNumber, r.City = "+1234567890", "san-francisco" }, nil},
		"seed's email and pasword": {func(r *auth.RegisterRequest) { r.Email, r.Password = "user@example.com", "secure123" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := goodRegistration()
			tc.change(&r)
			secrets := []string{}
			if r.Password != "" {
				secrets = append(secrets, r.Password)
			}
			require.Equal(t, tc.want, fields(t, r.Validate(), secrets...))
		})
	}
}

// bcrypt stops at a NUL and after 72 bytes, so a login with such a password could match a shorter one.
func TestLoginRefusesWhatBcryptIgnores(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		req  auth.LoginRequest
		want []string
	}{
		"good":                 {auth.LoginRequest{Email: "ada@example.com", Password: "x"}, nil},
		"not an address":       {auth.LoginRequest{Email: "ada", Password: "x"}, nil}, // nobody has it: 401, not 422
		"nothing":              {auth.LoginRequest{}, []string{"email", "password"}},
		"NUL":                  {auth.LoginRequest{Email: "a@b.c", Password: "ab\x00ab"}, []string{"password"}},
		"73 bytes":             {auth.LoginRequest{Email: "a@b.c", Password: strings.Repeat("x", 73)}, []string{"password"}},
		"a megabyte of e-mail": {auth.LoginRequest{Email: strings.Repeat("x", 1<<20), Password: "x"}, []string{"email"}},
		"bad UTF-8":            {auth.LoginRequest{Email: "\xff@b.c", Password: "x"}, []string{"email"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, fields(t, tc.req.Validate()))
		})
	}
}

func TestOtherRequests(t *testing.T) {
	t.Parallel()
	blank, ok, bad := "", "Ada", "x\x00"
	for name, tc := range map[string]struct {
		req  interface{ Validate() error }
		want []string
	}{
		"refresh":                 {auth.RefreshRequest{RefreshToken: "x"}, nil},
		"refresh without token":   {auth.RefreshRequest{}, []string{"refreshToken"}},
		"refresh with a novel":    {auth.RefreshRequest{RefreshToken: strings.Repeat("x", 300)}, []string{"refreshToken"}},
		"logout":                  {auth.LogoutRequest{RefreshToken: "x"}, nil},
		"logout without token":    {auth.LogoutRequest{}, []string{"refreshToken"}},
		"update of nothing":       {auth.UpdateRequest{}, nil},
		"update":                  {auth.UpdateRequest{FirstName: &ok, LastName: &ok}, nil},
		"update to nothing":       {auth.UpdateRequest{FirstName: &blank, LastName: &blank, PhoneNumber: &blank}, []string{"firstName", "lastName", "phoneNumber"}},
		"update to a control":     {auth.UpdateRequest{FirstName: &bad}, []string{"firstName"}},
		"admin":                   {auth.AdminCreateRequest{Email: "a@b.c", Password: "12345678", City: "Reno"}, nil},
		"admin with short secret": {auth.AdminCreateRequest{Email: "a@b.c", Password: "1234567", City: "Reno"}, []string{"password"}},
		"admin without a city":    {auth.AdminCreateRequest{Email: "a@b.c", Password: "12345678"}, []string{"city"}},
		"admin with a bad phone":  {auth.AdminCreateRequest{Email: "a@b.c", Password: "12345678", City: "Reno", PhoneNumber: "x"}, []string{"phoneNumber"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, fields(t, tc.req.Validate()))
		})
	}
}

// Every request must be decodable by its documented names alone.
func TestRequestsDecodeStrictly(t *testing.T) {
	t.Parallel()
	var r auth.RegisterRequest
	require.NoError(t, wire.Decode([]byte(`{"email":"a@b.c","password":"12345678","firstName":"A","lastName":"B",
		"phoneNumber":"12345","role":"customer","city":"Reno"}`), &r))
	require.NoError(t, r.Validate())
	var invalid wire.Invalid
	require.ErrorAs(t, wire.Decode([]byte(`{"email":"a@b.c","id":"x"}`), &r), &invalid)
	require.ErrorAs(t, wire.Decode([]byte(`{"Email":"a@b.c"}`), &r), &invalid)
}

func TestKeyRequests(t *testing.T) {
	t.Parallel()
	const id = "01935c8e-2f4a-8b1c-9d3e-5f60718293a4"
	good := auth.KeyCreateRequest{Name: "Till", UserID: id, Scopes: []string{auth.ScopeOrdersRead}}
	with := func(change func(*auth.KeyCreateRequest)) auth.KeyCreateRequest {
		r := good
		change(&r)
		return r
	}
	for name, tc := range map[string]struct {
		req  interface{ Validate() error }
		want []string
	}{
		"good":                 {good, nil},
		"all scopes":           {with(func(r *auth.KeyCreateRequest) { r.Scopes = auth.Scopes() }), nil},
		"nothing":              {auth.KeyCreateRequest{}, []string{"name", "userId", "scopes"}},
		"a scope nobody has":   {with(func(r *auth.KeyCreateRequest) { r.Scopes = []string{"admin:write"} }), []string{"scopes"}},
		"a wildcard":           {with(func(r *auth.KeyCreateRequest) { r.Scopes = []string{"*"} }), []string{"scopes"}},
		"a scope twice":        {with(func(r *auth.KeyCreateRequest) { r.Scopes = []string{"orders:read", "orders:read"} }), []string{"scopes"}},
		"a negative rate":      {with(func(r *auth.KeyCreateRequest) { r.RateLimit = -1 }), []string{"rateLimit"}},
		"a boundless rate":     {with(func(r *auth.KeyCreateRequest) { r.RateLimit = auth.MaxKeyRate + 1 }), []string{"rateLimit"}},
		"a name of controls":   {with(func(r *auth.KeyCreateRequest) { r.Name = "a\x00" }), []string{"name"}},
		"for nobody":           {with(func(r *auth.KeyCreateRequest) { r.UserID = "x" }), []string{"userId"}},
		"list":                 {auth.KeyListRequest{}, nil},
		"list of somebody":     {auth.KeyListRequest{UserID: id, Limit: 100, Cursor: id}, nil},
		"list of rubbish":      {auth.KeyListRequest{UserID: "' or 1=1", Limit: 101, Cursor: "x"}, []string{"limit", "cursor", "userId"}},
		"revoke":               {auth.KeyRevokeRequest{ID: id}, nil},
		"revoke everything":    {auth.KeyRevokeRequest{ID: "*"}, []string{"id"}},
		"an id in braces":      {auth.KeyRevokeRequest{ID: "{" + id + "}"}, []string{"id"}},
		"verify":               {auth.KeyVerifyRequest{ID: id, Digest: strings.Repeat("0a", 32)}, nil},
		"verify a secret":      {auth.KeyVerifyRequest{ID: id, Digest: "tfk_x"}, []string{"digest"}},
		"verify half a digest": {auth.KeyVerifyRequest{ID: id, Digest: strings.Repeat("0a", 16)}, []string{"digest"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, fields(t, tc.req.Validate()))
		})
	}
}
