package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"

	"tiffin/micro"
	"tiffin/services/auth"
)

// adminCommand is `tiffin admin`.
type adminCommand struct {
	Create adminCreateCommand `cmd:"" help:"Open an administrator's account; nobody can register as one."`
}

// adminCreateCommand is `tiffin admin create`. The password is no flag, since
// everybody on the machine could read it there.
type adminCreateCommand struct {
	Email     string `required:"" help:"E-mail address to sign in with."`
	City      string `required:"" help:"Home city, which decides the shard of the account."`
	FirstName string `default:"Admin"`
	LastName  string `default:"Admin"`
	Phone     string `default:"+10000000000"`
}

// Run asks for the password where the environment has none, and opens the
// account.
func (a adminCreateCommand) Run(i *invocation) error {
	password := os.Getenv("TIFFIN_ADMIN_PASSWORD")
	if password == "" {
		var err error
		if password, err = readPassword(); err != nil {
			return err
		}
	}
	return asOperator(func(c *micro.Client) error {
		ctx := micro.WithActor(i.Context, micro.Actor{Role: micro.RoleOperator, ID: operatorName()})
		made, err := auth.NewClient(c).AdminCreate(ctx, auth.AdminCreateRequest{
			Email: a.Email, Password: password, FirstName: a.FirstName, LastName: a.LastName,
			PhoneNumber: a.Phone, City: a.City,
		})
		if err != nil {
			return fmt.Errorf("create %s: %w", a.Email, err)
		}
		_, err = fmt.Printf("administrator %s created, id %s\n", made.Email, made.ID)
		return err
	})
}

// readPassword takes one line of standard input, without showing it.
func readPassword() (string, error) {
	if isatty.IsTerminal(os.Stdin.Fd()) {
		show, err := hideInput(int(os.Stdin.Fd()))
		if err != nil {
			return "", err
		}
		defer show()
		if _, err := fmt.Fprint(os.Stderr, "Password: "); err != nil {
			return "", err
		}
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) { // the last line need not be ended
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("no password: set TIFFIN_ADMIN_PASSWORD or write it to standard input")
	}
	return line, nil
}

// hideInput stops the terminal from showing what is typed, until the result is
// called.
func hideInput(fd int) (func(), error) {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return nil, err
	}
	return func() {
		// A terminal that has gone away needs no echo.
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, before)
	}, nil
}

// operatorName is who the audit log says did it.
func operatorName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "cli"
}
