package sampleapi

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// opening is when the shop of most tests begins to change: any time after the
// fixed records.
var opening = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)

// clock is one that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

const testToken = "s3cret-token"

// shop is an API on a socket, and a client that has its token.
type shop struct {
	*testing.T
	api   *API
	clock *clock
	base  string
}

func open(t *testing.T, o Options) *shop {
	t.Helper()
	c := &clock{now: opening}
	o.Token, o.Now = testToken, c.Now
	api := New(o)
	server, err := api.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &shop{t, api, c, server.URL}
}

// do sends a request as a well-behaved client does, once.
func (s *shop) do(method, path, body string, header ...string) (*http.Response, []byte) {
	s.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testToken)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp, data
}

// get reads a good answer in JSON.
func (s *shop) get(path string, into any) *http.Response {
	s.Helper()
	resp, data := s.do("GET", path, "")
	s.decode(path, resp, data, into)
	return resp
}

func (s *shop) decode(path string, resp *http.Response, data []byte, into any) {
	s.Helper()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		s.Fatalf("%s: %s, %s: %s", path, resp.Status, resp.Header.Get("Content-Type"), data)
	}
	if err := json.Unmarshal(data, into); err != nil {
		s.Fatalf("%s: %v", path, err)
	}
}

// record is what all lists have, and its text.
type record struct {
	key     string
	updated time.Time
	text    string
}

func (r *record) UnmarshalJSON(data []byte) error {
	var f struct {
		ID        json.Number `json:"id"`
		SKU       string      `json:"sku"`
		Warehouse string      `json:"warehouse"`
		UpdatedAt time.Time   `json:"updated_at"`
	}
	err := json.Unmarshal(data, &f)
	*r = record{f.ID.String() + f.SKU + f.Warehouse, f.UpdatedAt, string(data)}
	return err
}

// list is one of the lists and how a client goes through it.
type list struct {
	name  string
	count int // of fixed records
	// between is called before each page but the first.
	all func(s *shop, since time.Time, size int, between func()) []record
}

func iso(name string, since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return "&" + name + "=" + url.QueryEscape(since.Format("2006-01-02T15:04:05.000Z07:00"))
}

var lists = []list{
	{"customers", 1200, func(s *shop, since time.Time, size int, between func()) (all []record) {
		for page := 1; ; page++ {
			var got struct {
				Data []record
				Meta struct{ Page, Pages, Total int }
			}
			s.get(fmt.Sprintf("/customers?page=%d&per_page=%d%s", page, size, iso("since", since)), &got)
			all = append(all, got.Data...)
			if got.Meta.Page != page {
				s.Errorf("page %d says that it is page %d", page, got.Meta.Page)
			}
			if page >= got.Meta.Pages {
				return all
			}
			between()
		}
	}},
	{"orders", 3000, func(s *shop, since time.Time, size int, between func()) (all []record) {
		for cursor := ""; ; {
			var got struct {
				Items      []record
				NextCursor *string `json:"next_cursor"`
			}
			s.get(fmt.Sprintf("/orders?cursor=%s&limit=%d%s", cursor, size, iso("updated_since", since)), &got)
			all = append(all, got.Items...)
			if got.NextCursor == nil {
				return all
			}
			cursor = *got.NextCursor
			between()
		}
	}},
	{"products", 800, func(s *shop, since time.Time, size int, between func()) (all []record) {
		filter := ""
		if !since.IsZero() {
			filter = fmt.Sprintf("&modified_after=%d", since.Unix())
		}
		for offset := 0; ; offset += size {
			var got []record
			s.get(fmt.Sprintf("/products?offset=%d&limit=%d%s", offset, size, filter), &got)
			if len(got) == 0 {
				return all
			}
			all = append(all, got...)
			between()
		}
	}},
	{"stock", 1600, func(s *shop, since time.Time, size int, between func()) (all []record) {
		next := fmt.Sprintf("/stock?per_page=%d%s", size, iso("since", since))
		for {
			var got []record
			link := s.get(next, &got).Header.Get("Link")
			all = append(all, got...)
			if link == "" {
				return all
			}
			m := regexp.MustCompile(`^<(/[^>]*)>; rel="next"$`).FindStringSubmatch(link)
			if m == nil {
				s.Fatalf("Link: %s", link)
			}
			next = m[1]
			between()
		}
	}},
}

func nothing() {}

func TestPagesHoldEachRecordOnce(t *testing.T) {
	s := open(t, Options{})
	for _, l := range lists {
		for _, size := range []int{250, 100, 33} {
			t.Run(fmt.Sprint(l.name, size), func(t *testing.T) {
				seen := map[string]bool{}
				for _, r := range l.all(s, time.Time{}, size, nothing) {
					if seen[r.key] {
						t.Errorf("%s comes twice", r.key)
					}
					seen[r.key] = true
				}
				if len(seen) != l.count {
					t.Errorf("%d records, want %d", len(seen), l.count)
				}
			})
		}
	}
}

func TestSinceGivesWhatChangedAtOrAfterIt(t *testing.T) {
	s := open(t, Options{Tick: 5 * time.Second})
	s.clock.pass(12 * 5 * time.Second)
	// In twelve ticks, of which each places an order and every third changes
	// one, each changes a product (in two warehouses), every second a customer,
	// and every sixth brings a new one. The orders that move on are new ones.
	sinceOpening := map[string]int{"customers": 6 + 2, "orders": 12 + 4, "products": 12, "stock": 24}
	for _, l := range lists {
		all := l.all(s, time.Time{}, 250, nothing)
		for _, since := range []time.Time{
			fixedStart, fixedStart.AddDate(1, 2, 3), all[len(all)/2].updated, fixedEnd, opening,
			opening.Add(30 * time.Second), opening.Add(time.Minute), opening.Add(61 * time.Second),
		} {
			var want []record
			for _, r := range all {
				if !r.updated.Before(since) {
					want = append(want, r)
				}
			}
			if got := l.all(s, since, 40, nothing); !slices.Equal(got, want) {
				t.Errorf("%s since %s: %d records, want %d", l.name, since, len(got), len(want))
			}
			if since.Equal(opening) && len(want) != sinceOpening[l.name] {
				t.Errorf("%s: %d have changed, want %d", l.name, len(want), sinceOpening[l.name])
			}
		}
	}
}

// A client that asks for what changed since the Date of its last first request,
// and goes through pages while the shop changes, must end with what there is.
func TestIncrementalSyncLosesNothing(t *testing.T) {
	for _, l := range lists {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, Options{Tick: 1500 * time.Millisecond})
			held := map[string]record{}
			var since time.Time
			for round := range 25 {
				var landing struct{ Now time.Time }
				date, err := http.ParseTime(s.get("/", &landing).Header.Get("Date"))
				if err != nil || !landing.Now.Equal(date) {
					t.Fatalf("Date is %s (%v), the page says %s", date, err, landing.Now)
				}
				for _, r := range l.all(s, since, 60, func() { s.clock.pass(700 * time.Millisecond) }) {
					held[r.key] = r
				}
				since = date
				s.clock.pass(time.Duration(round*round)*time.Second + 333*time.Millisecond)
			}
			for _, r := range l.all(s, since, 250, nothing) {
				held[r.key] = r
			}
			now := l.all(s, time.Time{}, 250, nothing)
			if len(held) != len(now) {
				t.Errorf("the client holds %d records, the shop has %d", len(held), len(now))
			}
			for _, r := range now {
				if held[r.key] != r {
					t.Errorf("the client holds\n%s, the shop has\n%s", held[r.key].text, r.text)
				}
			}
		})
	}
}

// In the order of change, what a client has read up to a time is all that there is
// up to it, whatever happens meanwhile: it may go on from the greatest time seen.
func TestOrdersByTimeOfChangeHaveNoGap(t *testing.T) {
	s := open(t, Options{Tick: 40 * time.Millisecond})
	held := map[string]record{}
	var since time.Time
	sync := func() {
		cursor, last := "", time.Time{}
		for {
			var got struct {
				Items      []record
				NextCursor *string `json:"next_cursor"`
			}
			s.get("/orders?sort=updated_at&limit=90&cursor="+cursor+iso("updated_since", since), &got)
			for _, r := range got.Items {
				if r.updated.Before(last) {
					t.Fatalf("%s comes after %s", r.text, last)
				}
				held[r.key], last = r, r.updated
			}
			if got.NextCursor == nil {
				since = last
				return
			}
			cursor = *got.NextCursor
			s.clock.pass(170 * time.Millisecond)
		}
	}
	for range 30 {
		sync()
		s.clock.pass(999 * time.Millisecond)
	}
	sync()
	now := lists[1].all(s, time.Time{}, 250, nothing)
	if len(held) != len(now) {
		t.Errorf("the client holds %d orders, the shop has %d", len(held), len(now))
	}
	for _, r := range now {
		if held[r.key] != r {
			t.Errorf("the client holds\n%s, the shop has\n%s", held[r.key].text, r.text)
		}
	}
}

func TestFixedRecordsAreTheSameInEveryProcess(t *testing.T) {
	a, b := New(Options{Start: opening}), New(Options{Start: opening.AddDate(3, 1, 1)})
	m, n := a.moment(opening), b.moment(opening.AddDate(3, 1, 1))
	for i := range fixedOrders {
		if x, y := fmt.Sprint(toJSON(t, m.orderDetail(i))), toJSON(t, n.orderDetail(i)); x != y {
			t.Fatalf("order %d is\n%s and\n%s", i, x, y)
		}
	}
	for i := range fixedCustomers {
		if x, y := toJSON(t, m.customer(i)), toJSON(t, n.customer(i)); x != y {
			t.Fatalf("customer %d is\n%s and\n%s", i, x, y)
		}
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSameStartGoesOnInAnotherProcess(t *testing.T) {
	later := opening.Add(3 * time.Hour)
	m := New(Options{Start: opening}).moment(later)
	n := New(Options{Start: opening, Now: func() time.Time { return later }}).moment(later)
	for i := range m.orders() {
		if x, y := toJSON(t, m.order(i)), toJSON(t, n.order(i)); x != y {
			t.Fatalf("order %d is\n%s and\n%s", i, x, y)
		}
	}
}

func TestStartIsNotBeforeTheFixedRecordsEnd(t *testing.T) {
	m := New(Options{Start: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}).moment(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	if m.ticks != 0 || m.orders() != fixedOrders {
		t.Errorf("%d ticks, %d orders before 2026", m.ticks, m.orders())
	}
}

// The rota's closed form, against doing the changes one by one.
func TestRotaComesRoundToAll(t *testing.T) {
	for _, r := range []rota{customerRota, orderRota, productRota} {
		counts, lasts := make([]int64, r.size), make([]int64, r.size)
		for tick := int64(0); tick <= 2*r.size*r.every+7; tick++ {
			if tick > 0 && tick%r.every == 0 {
				i := tick / r.every * rotaStride % r.size
				counts[i]++
				lasts[i] = tick
			}
			for _, i := range []int64{0, 1, r.size / 2, r.size - 1, tick % r.size} {
				if n, last := r.changes(i, tick); n != counts[i] || last != lasts[i] {
					t.Fatalf("%+v at %d: record %d was changed %d times, last at %d; want %d, %d", r, tick, i, n, last, counts[i], lasts[i])
				}
			}
		}
		if slices.Min(counts) < 2 {
			t.Errorf("%+v: a record was passed over", r)
		}
	}
}

func TestToken(t *testing.T) {
	s := open(t, Options{})
	for _, tc := range []struct {
		header string
		want   int
	}{
		{"", 401}, {"Bearer", 401}, {"Bearer ", 401}, {"Bearer wrong", 401}, {testToken, 401},
		{"Basic " + testToken, 401}, {"Bearer " + testToken + "x", 401},
		{"Bearer " + testToken, 200}, {"bearer " + testToken, 200},
	} {
		for _, path := range []string{"/orders", "/nowhere"} {
			want := tc.want
			if want == 200 && path == "/nowhere" {
				want = 404
			}
			resp, body := s.do("GET", path, "", "Authorization", tc.header)
			if resp.StatusCode != want {
				t.Errorf("%q: %s gives %s, want %d", tc.header, path, resp.Status, want)
			}
			if want == 401 && (resp.Header.Get("WWW-Authenticate") == "" || !strings.Contains(string(body), `"error":"unauthorized"`)) {
				t.Errorf("%q: %v %s", tc.header, resp.Header, body)
			}
		}
	}
	if resp, _ := s.do("GET", "/", "", "Authorization", ""); resp.StatusCode != 200 {
		t.Errorf("the landing page wants a token: %s", resp.Status)
	}
	if got := s.api.Stats(); got.Unauthorized != 14 || got.Requests != 19 {
		t.Errorf("%+v", got)
	}
	open := New(Options{})
	if !open.authorized(&http.Request{}) {
		t.Error("a token is asked for where none was given")
	}
}

// firstSync are the requests of a first sync of everything.
func firstSync() []string {
	var list []string
	for page := 1; page <= 12; page++ {
		list = append(list, fmt.Sprintf("/customers?per_page=100&page=%d", page))
	}
	for offset := 0; offset <= 800; offset += 100 {
		list = append(list, fmt.Sprintf("/products?limit=100&offset=%d", offset))
	}
	for from := 0; from < 1600; from += 100 {
		list = append(list, fmt.Sprintf("/stock?from=%d&per_page=100", from))
	}
	for id := 10001; id <= 10100; id++ {
		list = append(list, fmt.Sprintf("/orders/%d", id))
	}
	return list
}

func TestFaultsAreFewDeterministicAndPass(t *testing.T) {
	failing := func() (s *shop, statuses []int) {
		s = open(t, Options{Faults: true})
		for _, path := range firstSync() {
			resp, body := s.do("GET", path, "")
			statuses = append(statuses, resp.StatusCode)
			switch resp.StatusCode {
			case 200:
				continue
			case 429:
				if resp.Header.Get("Retry-After") != "1" {
					t.Errorf("%s: Retry-After is %q", path, resp.Header.Get("Retry-After"))
				}
			case 503:
			default:
				t.Errorf("%s: %s", path, resp.Status)
			}
			if !strings.HasPrefix(string(body), `{"error":"`) || resp.Header.Get("Date") != opening.Format(http.TimeFormat) {
				t.Errorf("%s: %v %s", path, resp.Header, body)
			}
			for range 3 {
				s.clock.pass(10 * time.Second)
				if resp, _ := s.do("GET", path, ""); resp.StatusCode != 200 {
					t.Errorf("%s fails again: %s", path, resp.Status)
				}
			}
			s.clock.pass(-30 * time.Second)
		}
		return s, statuses
	}
	s, first := failing()
	if _, again := failing(); !slices.Equal(first, again) {
		t.Errorf("requests failed\n%v and then\n%v", first, again)
	}
	count := map[int]int{}
	for _, status := range first {
		count[status]++
	}
	if bad := count[429] + count[503]; count[429] == 0 || count[503] == 0 || bad > len(first)/6 {
		t.Errorf("of %d requests %d failed with 429 and %d with 503", len(first), count[429], count[503])
	}
	got := s.api.Stats()
	if got.RateLimited != count[429] || got.Unavailable != count[503] {
		t.Errorf("%+v, want %v", got, count)
	}
	// Without them, none.
	s = open(t, Options{})
	for _, path := range firstSync() {
		if resp, _ := s.do("GET", path, ""); resp.StatusCode != 200 {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

func TestFaultsRememberOnlySoMuch(t *testing.T) {
	f := newFaults()
	request := func(n int) *http.Request {
		return &http.Request{Method: "GET", URL: &url.URL{Path: "/x/" + strconv.Itoa(n)}}
	}
	for n := range 40 * faultsKept {
		f.next(request(n), opening)
	}
	if len(f.failed) > faultsKept {
		t.Errorf("%d URLs are remembered, want at most %d", len(f.failed), faultsKept)
	}
	failed := 0
	for n := range 1000 {
		if f.next(request(-n), opening.Add(time.Hour)) != 0 {
			failed++
		}
	}
	if failed == 0 {
		t.Error("nothing fails any more")
	}
}

// fetched is an order as a client sees it.
type fetched struct {
	ID               int64
	PaymentReference json.RawMessage `json:"payment_reference"`
	CustomerID       int64           `json:"customer_id"`
	Status           string
	Items            []struct {
		SKU      string
		Quantity int64
		Price    json.RawMessage
	}
	Discount, Shipping, Total json.RawMessage
	Note                      *string
	CreatedAt                 time.Time `json:"created_at"`
	UpdatedAt                 time.Time `json:"updated_at"`
	History                   []struct {
		Status string
		At     time.Time
	}
}

// cents reads an amount, which must have two digits behind the point.
func cents(t *testing.T, amount json.RawMessage) int64 {
	t.Helper()
	if string(amount) == "null" {
		return 0
	}
	if !regexp.MustCompile(`^\d+\.\d\d$`).Match(amount) {
		t.Fatalf("an amount is %s", amount)
	}
	n, err := strconv.ParseInt(strings.Replace(string(amount), ".", "", 1), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOrdersHoldTogether(t *testing.T) {
	s := open(t, Options{})
	s.clock.pass(300 * DefaultTick)
	now := s.clock.Now()
	statuses, notes, discounts, wrong := map[string]int{}, 0, 0, 0
	for _, r := range lists[1].all(s, time.Time{}, 250, nothing) {
		var o fetched
		if err := json.Unmarshal([]byte(r.text), &o); err != nil {
			t.Fatal(err)
		}
		statuses[o.Status]++
		var sum int64
		for _, item := range o.Items {
			sum += cents(t, item.Price) * item.Quantity
		}
		want := sum - cents(t, o.Discount) + cents(t, o.Shipping)
		if (o.ID-firstOrder+1)%wrongTotal == 0 {
			want += 100
			wrong++
		}
		if got := cents(t, o.Total); got != want || got <= 0 {
			t.Errorf("the total of %s is not %d cents", r.text, want)
		}
		if len(o.PaymentReference) != 20 || o.CustomerID < 1 || o.CustomerID > 1200 {
			t.Errorf("%s", r.text)
		}
		if o.CreatedAt.Before(fixedStart) || o.UpdatedAt.Before(o.CreatedAt) || o.UpdatedAt.After(now) {
			t.Errorf("the times of %s", r.text)
		}
		if o.Note != nil {
			notes++
		}
		if string(o.Discount) != "null" {
			discounts++
		}
	}
	for _, status := range orderStatuses {
		if statuses[status] == 0 {
			t.Errorf("no order is %s", status)
		}
	}
	if wrong != 3300/wrongTotal {
		t.Errorf("%d totals are wrong, want %d", wrong, 3300/wrongTotal)
	}
	if notes == 0 || notes == 3300 || discounts == 0 || discounts == 3300 {
		t.Errorf("of 3300 orders %d have a note and %d a discount", notes, discounts)
	}
}

func TestOrderDetailsAndInvoices(t *testing.T) {
	s := open(t, Options{})
	s.clock.pass(40 * DefaultTick)
	with, without := 0, 0
	for id := int64(firstOrder); id < firstOrder+3040; id += 19 {
		var o fetched
		s.get(fmt.Sprintf("/orders/%d", id), &o)
		hasBeenPaid := false
		for i, state := range o.History {
			if i == 0 && (state.Status != pending || !state.At.Equal(o.CreatedAt)) || i > 0 && state.At.Before(o.History[i-1].At) {
				t.Errorf("order %d: %+v", id, o)
			}
			hasBeenPaid = hasBeenPaid || state.Status == paid
		}
		if last := o.History[len(o.History)-1]; last.Status != o.Status || last.At.After(o.UpdatedAt) {
			t.Errorf("order %d: %+v", id, o)
		}
		path := fmt.Sprintf("/orders/%d/invoice", id)
		resp, body := s.do("GET", path, "")
		if !hasBeenPaid {
			without++
			if resp.StatusCode != 404 || !strings.Contains(string(body), `"error":"not_found"`) {
				t.Errorf("order %d was never paid: %s %s", id, resp.Status, body)
			}
			continue
		}
		with++
		var inv struct{ Net, Tax, Gross json.RawMessage }
		s.decode(path, resp, body, &inv)
		if cents(t, inv.Net)+cents(t, inv.Tax) != cents(t, o.Total) || string(inv.Gross) != string(o.Total) {
			t.Errorf("order %d of %s: %s", id, o.Total, body)
		}
	}
	if with == 0 || without == 0 {
		t.Errorf("%d invoices, %d without", with, without)
	}
}

// A new order goes through its life as time passes.
func TestNewOrderMovesOn(t *testing.T) {
	s := open(t, Options{})
	s.clock.pass(DefaultTick - time.Nanosecond)
	if resp, _ := s.do("GET", "/orders/13001", ""); resp.StatusCode != 404 {
		t.Errorf("before the first tick: %s", resp.Status)
	}
	s.clock.pass(time.Nanosecond)
	lives := map[string]int{}
	for n := range 40 {
		id, life := firstOrder+fixedOrders+n, ""
		placed := opening.Add(time.Duration(n+1) * DefaultTick)
		for _, ticks := range []time.Duration{0, 5, 6, 11, 12, 23, 24, 1000} {
			s.clock.set(placed.Add(ticks * DefaultTick))
			var o fetched
			s.get(fmt.Sprintf("/orders/%d", id), &o)
			life += o.Status + " "
			if !o.CreatedAt.Equal(placed) {
				t.Errorf("order %d was placed at %s, want %s", id, o.CreatedAt, placed)
			}
		}
		lives[strings.TrimSpace(life)]++
	}
	usual := lives["pending pending paid paid shipped shipped delivered delivered"]
	cancelled := lives["pending pending cancelled cancelled cancelled cancelled cancelled cancelled"]
	if usual < 30 || cancelled < 1 || usual+cancelled != 40 {
		t.Errorf("lives of new orders: %v", lives)
	}
}

func TestSearchPagesInTheBody(t *testing.T) {
	s := open(t, Options{})
	want := map[string][]string{} // keys by status
	for _, r := range lists[1].all(s, time.Time{}, 250, nothing) {
		var o fetched
		if err := json.Unmarshal([]byte(r.text), &o); err != nil {
			t.Fatal(err)
		}
		want[o.Status] = append(want[o.Status], r.key)
	}
	if got := slices.Sorted(maps.Keys(want)); !slices.Equal(got, slices.Sorted(slices.Values(orderStatuses))) {
		t.Fatalf("statuses %v", got)
	}
	for status, keys := range want {
		var got []string
		for page := 1; ; page++ {
			body := fmt.Sprintf(`{"status":%q,"page":%d,"size":30,"updated_since":null}`, status, page)
			resp, data := s.do("POST", "/orders/search", body)
			var answer struct {
				Results     []record
				Page, Pages int
				Total       int
			}
			s.decode(body, resp, data, &answer)
			for _, r := range answer.Results {
				got = append(got, r.key)
			}
			if answer.Page != page || answer.Total != len(keys) || answer.Pages != (len(keys)+29)/30 {
				t.Errorf("%s: %+v, want %d records", body, answer, len(keys))
			}
			if page >= answer.Pages {
				break
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("%s: %d records, want %d", status, len(got), len(keys))
		}
	}
	var one struct{ Results []fetched }
	resp, data := s.do("POST", "/orders/search", `{"customer_id":7,"updated_since":"2025-01-01"}`)
	s.decode("search", resp, data, &one)
	for _, o := range one.Results {
		if o.CustomerID != 7 || o.UpdatedAt.Year() < 2025 {
			t.Errorf("%+v", o)
		}
	}
}

func TestCustomersAreAsReal(t *testing.T) {
	s := open(t, Options{})
	bad, none, ascii := 0, 0, regexp.MustCompile(`^[a-z]+\.[a-z]+\d+@example\.com$`)
	for _, r := range lists[0].all(s, time.Time{}, 250, nothing) {
		var c struct {
			Name  string
			Email *string
		}
		if err := json.Unmarshal([]byte(r.text), &c); err != nil {
			t.Fatal(err)
		}
		switch {
		case c.Email == nil:
			none++
		case !ascii.MatchString(*c.Email):
			if !strings.Contains(*c.Email, "@") {
				bad++
			} else {
				t.Errorf("%s has the address %s", c.Name, *c.Email)
			}
		}
	}
	if bad != 1200/badEmail || none == 0 || none > 60 {
		t.Errorf("%d addresses are bad, want %d; %d missing", bad, 1200/badEmail, none)
	}
	var one, listed record
	s.get("/customers/1200", &one)
	var page struct{ Data []record }
	s.get("/customers?per_page=1&page=1200", &page)
	if listed = page.Data[0]; one != listed {
		t.Errorf("the customer is\n%s and in the list\n%s", one.text, listed.text)
	}
}

func TestProductsInCSV(t *testing.T) {
	s := open(t, Options{})
	s.clock.pass(2000 * DefaultTick)
	resp, body := s.do("GET", "/exports/products.csv", "")
	rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil || len(rows) != 801 || resp.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatalf("%d rows, %v, %v", len(rows), err, resp.Header)
	}
	quoted := false
	for i, r := range lists[2].all(s, time.Time{}, 250, nothing) {
		var p struct {
			SKU, Name, Category, Currency string
			Price                         json.RawMessage
			Active                        bool
		}
		if err := json.Unmarshal([]byte(r.text), &p); err != nil {
			t.Fatal(err)
		}
		cents(t, p.Price)
		want := []string{p.SKU, p.Name, p.Category, string(p.Price), p.Currency, strconv.FormatBool(p.Active)}
		if !slices.Equal(rows[i+1], want) {
			t.Errorf("row %d is %q, want %q", i+1, rows[i+1], want)
		}
		quoted = quoted || strings.Contains(p.Name, ",")
	}
	if !quoted {
		t.Error("no name needs quotes")
	}
	var one record
	s.get("/products/"+rows[17][0], &one)
	if one.key != rows[17][0] {
		t.Errorf("asked for %s, got %s", rows[17][0], one.text)
	}
}

func TestEventsAreLines(t *testing.T) {
	s := open(t, Options{})
	s.clock.pass(13 * DefaultTick)
	resp, body := s.do("GET", "/events?since="+opening.Format(time.RFC3339), "")
	if resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%v", resp.Header)
	}
	type event struct {
		ID, Type string
		OrderID  int64 `json:"order_id"`
		At       time.Time
	}
	seen, created := map[string]bool{}, 0
	for line := range strings.Lines(string(body)) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if seen[e.ID] || e.At.Before(opening) || e.At.After(s.clock.Now()) || e.ID != fmt.Sprintf("evt_%d_%s", e.OrderID, strings.TrimPrefix(e.Type, "order.")) {
			t.Errorf("%s", line)
		}
		seen[e.ID] = true
		if e.Type == "order.pending" {
			created++
		}
	}
	if created != 13 {
		t.Errorf("%d orders were placed, want 13: one a tick", created)
	}
	_, all := s.do("GET", "/events", "")
	if n := strings.Count(string(all), "order.pending"); n != 3013 {
		t.Errorf("%d orders were placed in all, want 3013", n)
	}
	if _, none := s.do("GET", "/events?since=2030-01-01", ""); len(none) != 0 {
		t.Errorf("events of the future: %s", none)
	}
}

func TestAlerts(t *testing.T) {
	s := open(t, Options{})
	post := func(subject, key string, want int) (id int64) {
		t.Helper()
		resp, body := s.do("POST", "/alerts", fmt.Sprintf(`{"subject":%q,"text":"x"}`, subject), "Idempotency-Key", key)
		var got struct{ ID int64 }
		if err := json.Unmarshal(body, &got); err != nil || resp.StatusCode != want {
			t.Fatalf("%s %s, want %d", resp.Status, body, want)
		}
		return got.ID
	}
	if a, b, c, d := post("a", "k1", 201), post("a", "k1", 200), post("b", "k2", 201), post("b", "", 201); a != 1 || b != 1 || c != 2 || d != 3 {
		t.Errorf("ids %d %d %d %d", a, b, c, d)
	}
	var list []alert
	s.get("/alerts", &list)
	want := []alert{{1, "a", "x", opening}, {2, "b", "x", opening}, {3, "b", "x", opening}}
	if !slices.Equal(list, want) {
		t.Errorf("%v, want %v", list, want)
	}

	var book alertBook
	for n := range 3 * alertsKept {
		book.add(strconv.Itoa(n), alert{})
	}
	if len(book.list) != alertsKept || len(book.byKey) != alertsKept || book.list[0].ID != 2*alertsKept+1 {
		t.Errorf("%d alerts and %d keys, the first is %d", len(book.list), len(book.byKey), book.list[0].ID)
	}
}

func TestWrongRequests(t *testing.T) {
	s := open(t, Options{})
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/customers?page=0", "", 400, `page is \"0\", expected a whole number from 1`},
		{"GET", "/customers?page=x", "", 400, "page is"},
		{"GET", "/customers?page=99999999999999999999", "", 400, "page is"},
		{"GET", "/customers?per_page=251", "", 400, "from 1 to 250"},
		{"GET", "/customers?page=1&page=2", "", 400, "given 2 times"},
		{"GET", "/customers?since=yesterday", "", 400, "expected a time"},
		{"GET", "/customers?sicne=2026-01-01", "", 400, `unknown parameter \"sicne\", expected page, per_page, since`},
		{"GET", "/customers?a=%zz", "", 400, "can't be read"},
		{"GET", "/customers/0", "", 404, "no customer 0"},
		{"GET", "/customers/1201", "", 404, "no customer"},
		{"GET", "/customers/a%2Fb", "", 404, "no customer a/b"},
		{"GET", "/customers/1?x=1", "", 400, "expected none"},
		{"GET", "/orders?cursor=zzz", "", 400, "expected a next_cursor"},
		{"GET", "/orders?cursor=b3JkZXI6LTE", "", 400, "expected a next_cursor"},       // order:-1
		{"GET", "/orders?sort=updated_at&cursor=b3JkZXI6MTI", "", 400, "of this list"}, // order:12
		{"GET", "/orders?sort=total", "", 400, "expected one of id, updated_at"},
		{"GET", "/orders?status=lost", "", 400, "expected one of pending, paid"},
		{"GET", "/orders/10000", "", 404, "no order"},
		{"GET", "/orders/search", "", 404, "no order"},
		{"GET", "/orders/x/invoice", "", 404, "no order x"},
		{"GET", "/products?modified_after=2026-01-01", "", 400, "unix seconds"},
		{"GET", "/products?modified_after=-1", "", 400, "unix seconds"},
		{"GET", "/products?offset=-1", "", 400, "from 0"},
		{"GET", "/products/NONE-1", "", 404, "no product NONE-1"},
		{"GET", "/stock?page=2", "", 400, "unknown parameter"},
		{"GET", "/nowhere", "", 404, "no /nowhere here"},
		{"PUT", "/nowhere", "", 404, "no /nowhere here"},
		{"DELETE", "/orders", "", 405, "/orders takes GET, not DELETE"},
		{"PUT", "/alerts", "", 405, "takes GET and POST"},
		{"POST", "/orders/search", "", 400, "a JSON object"},
		{"POST", "/orders/search", "[1]", 400, "a JSON object"},
		{"POST", "/orders/search", `{"pgae":1}`, 400, "pgae"},
		{"POST", "/orders/search", `{} {}`, 400, "follows"},
		{"POST", "/orders/search", `{"page":0}`, 400, "at least 1"},
		{"POST", "/orders/search", `{"size":251}`, 400, "at most 250"},
		{"POST", "/orders/search", `{"updated_since":"soon"}`, 400, "expected a time"},
		{"POST", "/orders/search", `{"status":"` + strings.Repeat("x", maxBody) + `"}`, 400, "too large"},
		{"POST", "/alerts", `{}`, 422, "subject is missing"},
	} {
		resp, body := s.do(tc.method, tc.path, tc.body)
		if resp.StatusCode != tc.status || !strings.Contains(string(body), tc.want) {
			t.Errorf("%s %s: %s %s, want %d with %q", tc.method, tc.path, resp.Status, body, tc.status, tc.want)
		}
		var envelope struct{ Error, Message string }
		if err := json.Unmarshal(body, &envelope); err != nil || envelope.Error == "" || envelope.Message == "" {
			t.Errorf("%s %s: %s", tc.method, tc.path, body)
		}
		if tc.status == 405 && resp.Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", tc.method, tc.path)
		}
	}
	for _, path := range []string{"/customers?page=1000000", "/orders?updated_since=2030-01-01", "/products?offset=800", "/stock?from=1600"} {
		if resp, body := s.do("GET", path, ""); resp.StatusCode != 200 || !strings.Contains(string(body), "[]") {
			t.Errorf("%s: %s %s, want no records", path, resp.Status, body)
		}
	}
}

func TestLandingListsWhatThereIs(t *testing.T) {
	s := open(t, Options{})
	var page struct {
		Endpoints []struct{ Method, Path, About string }
	}
	s.get("/", &page)
	if len(page.Endpoints) < 10 {
		t.Fatalf("%d endpoints", len(page.Endpoints))
	}
	for _, e := range page.Endpoints {
		path := strings.NewReplacer("{id}", "10001", "{sku}", s.api.moment(opening).product(0).SKU).Replace(e.Path)
		if e.Path == "/customers/{id}" {
			path = "/customers/1"
		}
		if resp, body := s.do(e.Method, path, `{}`); resp.StatusCode >= 400 && resp.StatusCode != 422 {
			t.Errorf("%s %s: %s %s", e.Method, path, resp.Status, body)
		}
	}
}

func TestMoneyHasTwoDigits(t *testing.T) {
	for amount, want := range map[money]string{1990: "19.90", 5: "0.05", 0: "0.00", -5: "-0.05", -12345: "-123.45"} {
		if got := amount.String(); got != want {
			t.Errorf("%d is %s, want %s", int64(amount), got, want)
		}
	}
}

func TestServerIsOnLoopbackAndEnds(t *testing.T) {
	server, err := New(Options{}).Listen()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.URL)
	if err != nil || u.Hostname() != "127.0.0.1" || u.Path != "" {
		t.Errorf("%s, %v", server.URL, err)
	}
	for range 2 {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
	if conn, err := net.Dial("tcp", u.Host); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}
