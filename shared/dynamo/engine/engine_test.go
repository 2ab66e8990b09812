package engine

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("a temporary database is gone after Stop", func(t *testing.T) {
		t.Parallel()
		e := start(t, Options{})
		putItem(t, client(e), "any")
		if _, err := os.Stat(e.scratch); err != nil {
			t.Fatal(err)
		}
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(e.scratch); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the temporary folder is still there: %v", err)
		}
		if err := e.Stop(); err != nil {
			t.Errorf("a second Stop: %v", err)
		}
		assertGone(t, e)
	})

	t.Run("a database in memory leaves no folder", func(t *testing.T) {
		t.Parallel()
		e := start(t, Options{Memory: true})
		putItem(t, client(e), "any")
		if e.scratch != "" {
			t.Errorf("it made %s", e.scratch)
		}
	})

	t.Run("what was answered survives kill -9 of the engine", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "new", "folder", "easel.db")
		first := start(t, Options{DBPath: path})
		putItem(t, client(first), "kept")
		if err := first.child.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-first.Done()

		second := start(t, Options{DBPath: path})
		got, err := client(second).GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String(table), Key: key(), ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := got.Item["v"].(*types.AttributeValueMemberS); !ok || v.Value != "kept" {
			t.Errorf("item after the crash = %v", got.Item)
		}
		if err := first.Stop(); err != nil {
			t.Errorf("Stop of an engine that was killed: %v", err)
		}
	})

	t.Run("Stop is quick while a client keeps its connection open", func(t *testing.T) {
		t.Parallel()
		e := start(t, Options{Memory: true})
		putItem(t, client(e), "any")
		begin := time.Now()
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 2*stopGrace {
			t.Errorf("Stop took %v", took)
		}
	})

	t.Run("two engines get two ports", func(t *testing.T) {
		t.Parallel()
		if a, b := start(t, Options{Memory: true}), start(t, Options{Memory: true}); a.Endpoint() == b.Endpoint() {
			t.Errorf("both listen on %s", a.Endpoint())
		}
	})
}

func TestStartFails(t *testing.T) {
	t.Parallel()

	t.Run("on a port in use, with the engine's words", func(t *testing.T) {
		t.Parallel()
		var config net.ListenConfig
		taken, err := config.Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer closeQuietly(t, taken)
		address, ok := taken.Addr().(*net.TCPAddr)
		if !ok {
			t.Fatal("no TCP address")
		}
		assertStartError(t, Options{Binary: binary(t), Memory: true, Port: address.Port}, "already in use")
	})

	t.Run("when the program is missing, naming the remedy", func(t *testing.T) {
		t.Parallel()
		assertStartError(t, Options{Binary: filepath.Join(t.TempDir(), "nothing")}, "make engine")
	})

	t.Run("when the program ends at once", func(t *testing.T) {
		t.Parallel()
		assertStartError(t, Options{Binary: programOnPath(t, "false")}, "ended at once (exit status 1)")
	})

	t.Run("when the database cannot be opened", func(t *testing.T) {
		t.Parallel()
		assertStartError(t, Options{Binary: binary(t), DBPath: t.TempDir()}, "unable to open database file")
	})

	t.Run("when memory and a path are both asked for", func(t *testing.T) {
		t.Parallel()
		assertStartError(t, Options{Memory: true, DBPath: "x"}, "has no path")
	})
}

func TestChild(t *testing.T) {
	t.Parallel()

	t.Run("that never gets ready is waited for no longer than the context lives", func(t *testing.T) {
		t.Parallel()
		c := run(t, "exec sleep 300")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := ready(ctx, c, "http://127.0.0.1:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want the deadline", err)
		}
	})

	t.Run("that ignores the request to leave is killed", func(t *testing.T) {
		t.Parallel()
		c := run(t, `trap "" TERM; echo listening on; exec sleep 300`)
		<-c.output.listening
		if err := c.end(10 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if got := c.exit().Error(); got != "signal: killed" {
			t.Errorf("it ended with %q", got)
		}
	})

	t.Run("leaves the end of its output for the error", func(t *testing.T) {
		t.Parallel()
		c := run(t, "seq 1 5000; echo the last words")
		<-c.done
		got := c.output.tail()
		if len(got) > tailBytes || !strings.HasSuffix(got, "5000\nthe last words") {
			t.Errorf("kept %d bytes: %q", len(got), got)
		}
	})
}

// run starts a shell as a child and ends it with the test.
func run(t *testing.T, script string) *child {
	t.Helper()
	c, err := startChild(programOnPath(t, "sh"), []string{"-c", script})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.end(0); err != nil {
			t.Error(err)
		}
	})
	return c
}

// A parent that is killed takes its engine along, so that the next start finds
// the database free. The parent is this test binary, run again.
func TestEngineDiesWithItsParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can tie a child to its parent")
	}
	_ = binary(t) // fails or skips here rather than in the parent
	parent := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldAnEngine$", "-test.v", holdArgument)
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(t, stdin)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	connection := dial(t, endpointIn(t, output))
	defer closeQuietly(t, connection)

	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := connection.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = connection.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the engine outlived its parent")
	}
	if err := parent.Wait(); err == nil {
		t.Error("the parent ended by itself, so nothing was shown")
	}
}

const holdArgument = "hold-an-engine"

// TestHoldAnEngine is the parent in TestEngineDiesWithItsParent; by itself it
// does nothing.
func TestHoldAnEngine(t *testing.T) {
	t.Parallel()
	if flag.Arg(0) != holdArgument {
		t.Skip("run by TestEngineDiesWithItsParent")
	}
	e := start(t, Options{Memory: true})
	t.Log("endpoint=" + e.Endpoint())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Fatal(err)
	}
}

func endpointIn(t *testing.T, output io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if _, endpoint, ok := strings.Cut(lines.Text(), "endpoint="); ok {
			return endpoint
		}
	}
	t.Fatalf("the parent named no endpoint: %v", lines.Err())
	return ""
}

// binary is the engine under test. Without one the test fails, unless the
// environment says that this machine has none.
func binary(t *testing.T) string {
	t.Helper()
	//nolint:forbidigo // a test has no main to read the environment for it
	path, err := Find(os.Getenv("EASEL_DYNOXIDE"))
	//nolint:forbidigo // a test has no main to read the environment for it
	if errors.Is(err, ErrNotInstalled) && os.Getenv("EASEL_SKIP_ENGINE") == "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func start(t *testing.T, o Options) *Engine {
	t.Helper()
	o.Binary = binary(t)
	e, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func assertStartError(t *testing.T, o Options, want string) {
	t.Helper()
	e, err := Start(t.Context(), o)
	if err == nil {
		t.Fatal("it started", e.Stop())
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want one that contains %q", err, want)
	}
}

func assertGone(t *testing.T, e *Engine) {
	t.Helper()
	select {
	case <-e.Done():
	default:
		t.Error("Done is open after Stop")
	}
	base, err := url.Parse(e.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	if connection, err := dialer.DialContext(t.Context(), "tcp", base.Host); err == nil {
		closeQuietly(t, connection)
		t.Error("something still listens on the engine's port")
	}
}

func dial(t *testing.T, endpoint string) net.Conn {
	t.Helper()
	base, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", base.Host)
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

func programOnPath(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(err)
	}
	return path
}

func closeQuietly(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func client(e *Engine) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(e.Endpoint()),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

const table = "engine-test"

// key is the key of the one item that putItem writes.
func key() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"k": &types.AttributeValueMemberS{Value: "one"}}
}

// putItem makes the table and writes one item with the attribute v.
func putItem(t *testing.T, db *dynamodb.Client, v string) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(table),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	item := key()
	item["v"] = &types.AttributeValueMemberS{Value: v}
	if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}); err != nil {
		t.Fatal(err)
	}
}
