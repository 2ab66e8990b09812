package simulator

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Lifelike is the value of Options.Latency that makes each call take about as
// long as the fastest tier of the real vendors.
const Lifelike time.Duration = -1

// Options configure a Server. The zero value is usable: instant answers, a
// random webhook secret, and URLs made from the Host header of each request.
type Options struct {
	// Latency is how long a picture takes. A video takes three times, a text a
	// third of it. Zero answers at once; Lifelike uses built-in durations.
	Latency time.Duration

	// Draft makes pictures coarse and films of few frames, so that tests do not
	// spend their time on drawing. Sizes, formats and lengths stay those asked for.
	Draft bool

	// Shrink, above 1, makes pictures and films that many times smaller in each
	// direction than asked for, also for tests: a race detector looks at each pixel.
	Shrink int

	// WebhookSecret signs webhooks of the Standard Webhooks scheme and seeds
	// the Ed25519 key of fal's. The form is "whsec_" followed by base64; any
	// other text is used as raw bytes. Empty means a random secret.
	WebhookSecret string

	// PublicURL is the address under which the Server is mounted, without a
	// trailing slash. Poll and output URLs start with it. Empty means
	// "http://" and the Host of the request that made the job, which is right
	// when the Server is mounted at the root.
	PublicURL string

	// Dir is a folder where jobs survive a restart of this process, as a real
	// vendor's jobs would. Empty keeps them in memory.
	Dir string

	// Client delivers webhooks. Redirects are never followed, whatever the
	// client says. Nil means a client with a ten second timeout.
	Client *http.Client

	// Now is the clock of job states and expiry. Nil means time.Now. Timers
	// (latency, webhook delivery) always run on real time.
	Now func() time.Time

	// Logger receives what a vendor's own log would hold. Nil discards.
	Logger *slog.Logger
}

// Server is the set of simulated vendors. It is an http.Handler that is safe
// for concurrent use; mount it behind http.StripPrefix if it is not at the root.
type Server struct {
	opts    Options
	mux     *http.ServeMux
	secret  []byte
	signKey ed25519.PrivateKey
	client  *http.Client
	log     *slog.Logger

	faults  *faultBook
	gateway gatewayBook
	stats   *statBook
	jobs    *jobStore
	studio  *studio

	ctx    context.Context // the lifetime of the background work, ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex // orders wg.Add against Close
	closed bool
}

// New returns a running Server. Call Close when done with it.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.WebhookSecret == "" {
		opts.WebhookSecret = newSecret()
	}
	opts.PublicURL = strings.TrimSuffix(opts.PublicURL, "/")
	ctx, cancel := context.WithCancel(context.Background())
	secret := secretBytes(opts.WebhookSecret)
	s := &Server{
		opts:    opts,
		mux:     http.NewServeMux(),
		secret:  secret,
		signKey: signingKey(secret),
		client:  webhookClient(opts.Client),
		log:     opts.Logger,
		faults:  newFaultBook(),
		stats:   newStatBook(),
		studio:  newStudio(opts.Draft, opts.Shrink),
		ctx:     ctx,
		cancel:  cancel,
	}
	s.jobs = newJobStore(opts.Dir, s.log)
	s.routes()
	s.resume()
	return s
}

// ServeHTTP answers as the vendor that owns the first segment of the path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// WebhookSecret returns the secret that verifies Replicate's webhooks, in the
// form that Options.WebhookSecret takes.
func (s *Server) WebhookSecret() string { return s.opts.WebhookSecret }

// Close ends hanging calls and pending webhooks and waits for them. Jobs kept
// in Options.Dir continue at the next New. Close is idempotent.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	s.jobs.close()
}

// background runs f on its own goroutine until Close, unless Close was called.
func (s *Server) background(f func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.wg.Go(func() { f(s.ctx) })
}

func (s *Server) routes() {
	s.routeOpenAI()
	s.routeStability()
	s.routeReplicate()
	s.routeRunway()
	s.routeFal()
	s.routeGemini()
	s.routeCustom()
	s.routeCloudflare()
	s.routeFiles()
}

// effort is how much work a call asks for; it decides the latency.
type effort int

const (
	effortText effort = iota
	effortImage
	effortVideo
)

// latency is how long work of this size takes under the configured scale.
func (s *Server) latency(e effort) time.Duration {
	if s.opts.Latency < 0 {
		switch e {
		case effortText:
			return 350 * time.Millisecond
		case effortVideo:
			return 4 * time.Second
		case effortImage:
			return 1200 * time.Millisecond
		}
	}
	switch e {
	case effortText:
		return s.opts.Latency / 3
	case effortVideo:
		return s.opts.Latency * 3
	case effortImage:
	}
	return s.opts.Latency
}

// publicURL is the address of this server as the caller of r knows it.
func (s *Server) publicURL(r *http.Request) string {
	if s.opts.PublicURL != "" {
		return s.opts.PublicURL
	}
	return "http://" + r.Host
}

// pause waits for d, and reports false when ctx or the server ended first.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.ctx.Done():
		return false
	}
}
