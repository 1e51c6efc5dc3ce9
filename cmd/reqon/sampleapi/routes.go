package sampleapi

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// handler answers a request, or returns how it fails. It reads its parameters
// from the query and checks them with done before it writes.
type handler func(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure

// endpoint is one line of the landing page.
type endpoint struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	About  string `json:"about"`

	handle handler
}

func (a *API) endpoints() []endpoint {
	return []endpoint{
		{"GET", "/customers", "pages by number: page, per_page; changed since: since (ISO); answers {data, meta}", listCustomers},
		{"GET", "/customers/{id}", "one customer", getCustomer},
		{"GET", "/orders", "pages by cursor: cursor, limit; changed since: updated_since (ISO); status; sort: id, updated_at; answers {items, next_cursor}", listOrders},
		{"GET", "/orders/{id}", "one order, with its history", getOrder},
		{"GET", "/orders/{id}/invoice", "its invoice; 404 as long as it is not paid", getInvoice},
		{"POST", "/orders/search", "pages in the body: {status, customer_id, updated_since, page, size}; answers {results, page, pages, total}", searchOrders},
		{"GET", "/products", "pages by offset: offset, limit; changed since: modified_after (unix seconds); answers an array", listProducts},
		{"GET", "/products/{sku}", "one product", getProduct},
		{"GET", "/stock", "pages by Link header: per_page; changed since: since (ISO); answers an array", listStock},
		{"GET", "/events", "what happened to orders, as newline-delimited JSON; since (ISO)", listEvents},
		{"GET", "/exports/products.csv", "all products as CSV", exportProducts},
		{"GET", "/alerts", "the alerts that were posted", a.listAlerts},
		{"POST", "/alerts", "posts an alert: {subject, text}; an Idempotency-Key is honoured", a.postAlert},
	}
}

// newRoutes returns the table of what is where.
func newRoutes(a *API) *http.ServeMux {
	mux := http.NewServeMux()
	list := a.endpoints()
	add := func(pattern string, h handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if f := h(w, r, newQuery(r.URL), r.Context().Value(momentKey{}).(moment)); f != nil {
				f.write(w)
			}
		})
	}
	for _, e := range list {
		add(e.Method+" "+e.Path, e.handle)
	}
	add("GET /{$}", a.landing(list))
	return mux
}

// momentKey is the context's key of the moment that holds for a request.
type momentKey struct{}

// serve answers a request that has been admitted.
func (a *API) serve(w http.ResponseWriter, r *http.Request, now time.Time) *failure {
	if _, pattern := a.routes.Handler(r); pattern == "" {
		return a.notFound(r)
	}
	a.routes.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), momentKey{}, a.moment(now))))
	return nil
}

// notFound tells a wrong path from a wrong method.
func (a *API) notFound(r *http.Request) *failure {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := a.routes.Handler(&other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return failf(http.StatusNotFound, "not_found", "there is no %s here: see / for what there is", r.URL.Path)
	}
	f := failf(http.StatusMethodNotAllowed, "method_not_allowed", "%s takes %s, not %s", r.URL.Path, strings.Join(allowed, " and "), r.Method)
	f.header = [2]string{"Allow", strings.Join(allowed, ", ")}
	return f
}

// landing describes the server.
func (a *API) landing(list []endpoint) handler {
	auth := "none"
	if a.token != "" {
		auth = "Authorization: Bearer TOKEN"
	}
	return func(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure {
		if f := q.done(); f != nil {
			return f
		}
		writeJSON(w, http.StatusOK, struct {
			Name      string     `json:"name"`
			Auth      string     `json:"auth"`
			Now       time.Time  `json:"now"`
			Customers int        `json:"customers"`
			Orders    int        `json:"orders"`
			Products  int        `json:"products"`
			Endpoints []endpoint `json:"endpoints"`
		}{"Sample shop", auth, m.now.Truncate(time.Second), m.customers(), m.orders(), fixedProducts, list})
		return nil
	}
}
