package mock

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// GitHub plays the REST API for issues and repositories: `Link` pages of at most
// 100, `since`, a User-Agent that must be there, and a primary rate limit that
// answers 403 with X-RateLimit-Remaining 0 (docs.github.com, "Rate limits for
// the REST API"). One repository is listed in the second run and can't be read:
// 404, so that run is incomplete.
func GitHub() *API {
	const token = "ghp_0123456789abcdef0123456789abcdef0123"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	repos := []string{"api", "docs", "web"}
	issues := map[string][]Record{}
	for r, repo := range repos {
		for i := range 130 - 50*r {
			issues[repo] = append(issues[repo], Record{
				"id": float64(1000*(r+1) + i), "number": float64(i + 1), "title": fmt.Sprintf("Issue %d of %s", i+1, repo),
				"state": "open", "updated_at": stamp(start.Add(time.Duration(i) * time.Hour)),
			})
		}
	}
	limit := &window{limit: 4, every: time.Hour}
	gone := ""
	api := &API{
		Name:        "github",
		Ends:        "incomplete",
		Env:         func(base string) map[string]string { return map[string]string{"GITHUB_API": base} },
		Credentials: `{"GitHub": {"type": "bearer", "token": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		if c.Header.Get("User-Agent") == "" {
			c.Send(403, "text/plain", []byte("Request forbidden by administrative rules. Please make sure your request has a User-Agent header"))
			return
		}
		if !c.Bearer(token) {
			c.Reply(401, Record{"message": "Bad credentials"})
			return
		}
		left := limit.take(c.Now())
		headers := []string{"X-RateLimit-Limit", "4", "X-RateLimit-Remaining", strconv.Itoa(max(left, 0)), "X-RateLimit-Reset", strconv.FormatInt(limit.ends.Unix(), 10)}
		if left < 0 {
			c.Reply(403, Record{"message": "API rate limit exceeded for user ID 1."}, headers...)
			return
		}
		size, ok := c.Int("per_page", 30)
		page, ok2 := c.Int("page", 1)
		if !ok || !ok2 || page < 1 {
			c.Reply(422, Record{"message": "Validation Failed"}, headers...)
			return
		}
		size = min(size, 100)
		var all []Record
		switch parts := strings.Split(strings.Trim(c.Path, "/"), "/"); {
		case c.Path == "/orgs/acme/repos":
			for i, r := range repos {
				all = append(all, Record{"id": float64(i + 1), "name": r})
			}
		case len(parts) == 4 && parts[0] == "repos" && parts[3] == "issues" && issues[parts[2]] != nil && parts[2] != gone:
			since, _ := c.Arg("since")
			for _, x := range issues[parts[2]] {
				if x["updated_at"].(string) >= since {
					all = append(all, x)
				}
			}
		default:
			c.Reply(404, Record{"message": "Not Found"}, headers...)
			return
		}
		if page*size < len(all) {
			q := c.Query
			q.Set("page", strconv.Itoa(page+1))
			next := fmt.Sprintf("<%s%s?%s>; rel=\"next\"", c.Base, c.Path, q.Encode())
			q.Set("page", strconv.Itoa((len(all)+size-1)/size))
			headers = append(headers, "Link", next+fmt.Sprintf(", <%s%s?%s>; rel=\"last\"", c.Base, c.Path, q.Encode()))
		}
		items := clip(all, (page-1)*size, size)
		if items == nil {
			items = []Record{}
		}
		c.Reply(200, items, headers...)
	}
	var at time.Time
	api.Change = func() {
		at = start.Add(1000 * time.Hour)
		issues["api"][3]["state"] = "closed"
		issues["api"][3]["updated_at"] = stamp(at)
		gone = "docs"
	}
	api.Want = func() map[string]map[string]any {
		all := map[string]any{}
		for _, repo := range repos {
			for _, x := range issues[repo] {
				all[fmt.Sprint(x["id"])] = x
			}
		}
		return map[string]map[string]any{"issues": all}
	}
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/repos/acme/api/issues"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages of issues of one repository, want 1", n)
		}
		return nil
	}
	return api
}
