package sampleapi

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
)

func missing(what, id string) *failure {
	return failf(http.StatusNotFound, "not_found", "there is no %s %s", what, id)
}

// pathID returns the id in a request's path, 0 if it is no number.
func pathID(r *http.Request) int64 {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

func getCustomer(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure {
	if f := q.done(); f != nil {
		return f
	}
	id := pathID(r)
	if id < 1 || id > int64(m.customers()) {
		return missing("customer", r.PathValue("id"))
	}
	writeJSON(w, http.StatusOK, m.customer(int(id-1)))
	return nil
}

func getOrder(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure {
	if f := q.done(); f != nil {
		return f
	}
	i, ok := m.orderIndex(pathID(r))
	if !ok {
		return missing("order", r.PathValue("id"))
	}
	writeJSON(w, http.StatusOK, m.orderDetail(i))
	return nil
}

func getInvoice(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure {
	if f := q.done(); f != nil {
		return f
	}
	i, ok := m.orderIndex(pathID(r))
	if !ok {
		return missing("order", r.PathValue("id"))
	}
	inv, ok := m.invoice(i)
	if !ok {
		return missing("invoice of order", r.PathValue("id"))
	}
	writeJSON(w, http.StatusOK, inv)
	return nil
}

func getProduct(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure {
	if f := q.done(); f != nil {
		return f
	}
	sku := r.PathValue("sku")
	for i := range fixedProducts {
		if p := m.product(i); p.SKU == sku {
			writeJSON(w, http.StatusOK, p)
			return nil
		}
	}
	return missing("product", sku)
}

func listEvents(w http.ResponseWriter, _ *http.Request, q *query, m moment) *failure {
	since := q.time("since")
	if f := q.done(); f != nil {
		return f
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	e := json.NewEncoder(w)
	for _, event := range m.events(since) {
		if e.Encode(event) != nil {
			return nil // the client has gone
		}
	}
	return nil
}

func exportProducts(w http.ResponseWriter, _ *http.Request, q *query, m moment) *failure {
	if f := q.done(); f != nil {
		return f
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c := csv.NewWriter(w)
	// What goes wrong here is that the client has gone.
	_ = c.Write([]string{"sku", "name", "category", "price", "currency", "active"})
	for i := range fixedProducts {
		p := m.product(i)
		_ = c.Write([]string{p.SKU, p.Name, orZero(p.Category), p.Price.String(), p.Currency, strconv.FormatBool(p.Active)})
	}
	c.Flush()
	return nil
}
