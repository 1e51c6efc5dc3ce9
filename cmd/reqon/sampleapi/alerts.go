package sampleapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// alert is a message that a client has posted.
type alert struct {
	ID        int64     `json:"id"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

// alertsKept is how many alerts are remembered, the newest.
const alertsKept = 1000

// alertBook holds the alerts, and under which Idempotency-Key each came: one
// that comes again is not written twice.
type alertBook struct {
	last  int64 // id
	list  []alert
	byKey map[string]alert
	keys  []string // of byKey, oldest first
}

// add writes an alert, unless one came with this key. known tells that.
func (b *alertBook) add(key string, al alert) (written alert, known bool) {
	if first, ok := b.byKey[key]; ok && key != "" {
		return first, true
	}
	b.last++
	al.ID = b.last
	if len(b.list) == alertsKept {
		b.list = append(b.list[:0], b.list[1:]...)
	}
	b.list = append(b.list, al)
	if key == "" {
		return al, false
	}
	if b.byKey == nil {
		b.byKey = map[string]alert{}
	}
	if len(b.keys) == alertsKept {
		delete(b.byKey, b.keys[0])
		b.keys = append(b.keys[:0], b.keys[1:]...)
	}
	b.byKey[key] = al
	b.keys = append(b.keys, key)
	return al, false
}

func (a *API) listAlerts(w http.ResponseWriter, _ *http.Request, _ *query, _ moment) *failure {
	a.mu.Lock()
	list := append([]alert{}, a.alerts.list...)
	a.mu.Unlock()
	writeJSON(w, http.StatusOK, list)
	return nil
}

func (a *API) postAlert(w http.ResponseWriter, r *http.Request, _ *query, m moment) *failure {
	var body struct {
		Subject string `json:"subject"`
		Text    string `json:"text"`
	}
	if f := readBody(r, &body); f != nil {
		return f
	}
	if body.Subject == "" {
		return failf(http.StatusUnprocessableEntity, "invalid", "subject is missing, expected text")
	}
	a.mu.Lock()
	written, known := a.alerts.add(r.Header.Get("Idempotency-Key"), alert{
		Subject: body.Subject, Text: body.Text, CreatedAt: m.now,
	})
	a.mu.Unlock()
	status := http.StatusCreated
	if known {
		status = http.StatusOK
	}
	writeJSON(w, status, written)
	return nil
}

// maxBody is the longest request that is read, in bytes.
const maxBody = 64 << 10

// readBody reads a JSON object with known fields.
func readBody(r *http.Request, into any) *failure {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		return badRequest("the body is not what was expected, a JSON object: %s", err)
	}
	return nil
}
