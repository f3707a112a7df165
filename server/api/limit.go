package api

import (
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// limiter bounds how often a client may ask.
type limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	clients map[string]*rate.Limiter
}

func newLimiter(perSecond float64, burst int, now func() time.Time) *limiter {
	return &limiter{rate: rate.Limit(perSecond), burst: max(burst, 1), now: now, clients: map[string]*rate.Limiter{}}
}

// take counts a request and refuses it where the client asks too often.
func (l *limiter) take(x *exchange, c policy.Caller) error {
	if l.rate <= 0 {
		return nil
	}
	l.mu.Lock()
	cl := l.clients[c.Client]
	if cl == nil {
		cl = rate.NewLimiter(l.rate, l.burst)
		l.clients[c.Client] = cl
	}
	l.mu.Unlock()
	if cl.AllowN(l.now(), 1) {
		return nil
	}
	wait := max(1, int(1/float64(l.rate)))
	x.Header("Retry-After", strconv.Itoa(wait))
	return interaction.Refuse(interaction.Throttled, fhir.Throttled, "throttled", fhir.Messagef(
		"too many requests; try again in %d s", "リクエストが多すぎます。%d 秒後にもう一度お試しください", wait))
}
