package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The programs that a Go programmer would write by hand for the same work.

// order is a record as the API has it.
type order struct {
	ID        int64     `json:"id"`
	Number    string    `json:"number"`
	First     string    `json:"first"`
	Last      string    `json:"last"`
	Email     string    `json:"email"`
	Plan      string    `json:"plan"`
	Price     float64   `json:"price"`
	Quantity  int       `json:"quantity"`
	Address   address   `json:"address"`
	UpdatedAt time.Time `json:"updated_at"`
}

type address struct {
	City string `json:"city"`
}

// row is what is stored of it.
type row struct {
	ID        int64     `json:"id"`
	Number    string    `json:"number"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Tier      int       `json:"tier"`
	Total     float64   `json:"total"`
	City      string    `json:"city"`
	UpdatedAt time.Time `json:"updated_at"`
}

// syncByHand fetches all pages, checks and maps their records, and writes one
// JSON object by id, in the order in which they came: in one piece with
// json.MarshalIndent, as most would (which sorts the keys; here that is the same
// order), or row by row, which takes more care and less memory.
func syncByHand(base, dir string, onePiece bool) error {
	rows := map[string]*row{}
	var keys []string
	for page := 1; ; page++ {
		var orders []order
		if err := getJSON(fmt.Sprintf("%s/orders?size=1000&page=%d", base, page), &orders); err != nil {
			return err
		}
		if len(orders) == 0 {
			break
		}
		for i := range orders {
			r, err := convert(&orders[i])
			if err != nil {
				return fmt.Errorf("order %d: %w", orders[i].ID, err)
			}
			key := strconv.FormatInt(r.ID, 10)
			if _, ok := rows[key]; !ok {
				keys = append(keys, key)
			}
			rows[key] = r
		}
	}
	name := filepath.Join(dir, "orders.json")
	if !onePiece {
		return writeRows(name, keys, rows)
	}
	data, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o600)
}

func convert(o *order) (*row, error) {
	if o.ID == 0 || o.Address.City == "" || o.Plan == "" || o.UpdatedAt.IsZero() {
		return nil, errors.New("no order")
	}
	if o.Price <= 0 {
		return nil, errors.New("no price")
	}
	if !strings.Contains(o.Email, "@") {
		return nil, errors.New("no email")
	}
	tier := 1
	switch o.Plan {
	case "gold":
		tier = 3
	case "silver":
		tier = 2
	}
	return &row{
		ID: o.ID, Number: o.Number, Name: o.First + " " + o.Last, Email: strings.ToLower(o.Email), Tier: tier,
		Total: o.Price * float64(o.Quantity), City: o.Address.City, UpdatedAt: o.UpdatedAt,
	}, nil
}

// writeRows replaces the file atomically.
func writeRows(name string, keys []string, rows map[string]*row) error {
	f, err := os.CreateTemp(filepath.Dir(name), "orders")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	for i, key := range keys {
		data, err := json.Marshal(rows[key])
		if err != nil {
			return err
		}
		lead := ",\n"
		if i == 0 {
			lead = "{\n"
		}
		fmt.Fprintf(w, "%s%q: %s", lead, key, data)
	}
	fmt.Fprint(w, "\n}\n")
	if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func getJSON(url string, v any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// requestsByHand makes count requests with 32 workers.
func requestsByHand(base string, count int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, 32)
	for worker := range errs {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(count) && errs[worker] == nil; i = next.Add(1) {
				errs[worker] = discard(client.Get(fmt.Sprintf("%s/slow?i=%d", base, i)))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func discard(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// startByHand makes the one request of a bare client.
func startByHand(base string) error {
	return discard(http.Get(base + "/first"))
}
