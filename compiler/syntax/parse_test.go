package syntax

import (
	"testing"
)

const everything = `// a comment
mission SyncOrders {
  schedule: every 15 minutes { skipIfRunning: true, retry: { maxRetries: 2, delaySeconds: 5 } }
  timeout: 30m
  parallelMode: "fail-fast"
  param region: string = "eu"
  param limit: int | null
  param tags: array<string>= []

  source API { auth: bearer, base: env("API_BASE", "https://api.example.com") }
  source Spec from "./openapi.yaml" {
    headers: { "X-Region": region }
    rateLimit: { requestsPerMinute: 60, strategy: pause }
  }
  store orders: file("orders")
  store cache: memory { keep: 1_000, ttl: 30d }
  store big: if env("DB", "") == "pg" then postgres("orders") else sqlite("orders.db") { ttl: 1.5h }
  schema Order {
    id: string
    total: number, note: string?
    status: "open" | "closed" | null
    lines: [ { sku: string, n: int } ]
    tags: array<string | int>?
    ...Base
    "odd-key": -1 | true,
  }
  transform ToRow: Order -> Row { id: .id, cents: round(.total * 100), ...extra }
  transform Plain -> Row { id: .id }
  transform Many {
    (Order) where .total > 10 -> Row { id: .id },
    ([Order]) -> Row { n: length(.) }
    (_) { raw: . }
  }
  action Sync {
    get "/customers/{id}/orders/{name | urlEncode()}" { since: lastSync, paginate: page(page, 100), until: length(response) == 0 }
    get API "/plain" , post Spec url { body: { a: 1 } }
    put API .next
    patch API (base + "/x")
    get ` + "`/t/{a}/{`in {b} {{x}}`}`" + `
    delete "/x/{id}"
    delete orders["k"]
    clear orders
    call Spec.listOrders { params: { a: null, if: 1, in: 2, ...rest } }
    call Spec."list-orders"
    let x = response.items where .status == "open" and not (.total is null)
    for o in x where .total > 1 concurrency 4 onError queue dead {
      map o -> Row { id: .id, total: .price * .quantity ?? 0, name: .name or "Unknown" }
      store . -> orders { key: .id, upsert: true }
    }
    for o in orders onError abort {}
    map { a: 1 } -> Thing
    map { a: 1 } -> Thing { b: .a }
    apply ToRow to response as rows
    validate rows { assume .id != null : "no id", assume length(.lines) > 0, warn .total >= 0 } or { skip }
    validate { assume a }
    match response {
      404 -> skip
      [Order] where length(response) > 3 -> { store response -> orders, continue }
      [] -> continue,
      [a, ...rest] -> log "x"
      { id, error: e, code: 500 } -> { store response -> errors, abort response.message }
      -1 -> abort
      "x" -> abort "msg"
      Order -> retry { maxAttempts: 5, delay: 2s }
      [b] -> queue dead
      { x: _ } -> jump Login then retry
      n where n > 5 -> jump Login
      null -> run Other
      _ -> queue dead { item: response, key: .id }
    }
    match {
      x > 5 -> skip
      .y -> skip
      -x > 3 -> abort "a" + .b
      .z > 1 -> skip
      contains(x, "a") -> abort y
      contains(x, "b") -> skip
      _ -> skip
    }
    if a and b { skip } else if c { abort } else { log warn "w" { a: 1 } }
    run Other
    wait { path: "/hook", timeout: 5m }
    pause { duration: 5m, resumeOn: webhook "/path" }
    let y = match x { "a" => 1, n where n > 5 => 2, -1 => 5, _ => 3 }
    let z = match {
      a => b
      [1] contains b => c
      _ => d
    }
    let f = filter(orders, o => o.total > 10).map(.x) | sum((a, b) => a + b) | first()
    let t = a ? b : c ? d : if e then f else g
    let g = [1, ...rest, -x.y[0], items[-1]["k"].z, "a\n\"é", 'it\'s' ]
  }
  run Sync then [B, C] then D if x > 1
}
action Loose { }
schema L { }
transform T2 { }
`

func TestEverything(t *testing.T) {
	tree := parse(t, everything)
	text := Print(tree)
	again := parse(t, text)
	if !Equal(tree, again) {
		t.Errorf("not equal:\n%s\n---\n%s", text, Print(again))
	}
	t.Log(text)
}
