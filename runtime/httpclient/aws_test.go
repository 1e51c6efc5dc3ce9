package httpclient

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"reqon/runtime/credentials"
)

// The vectors that AWS has published: its Signature Version 4 test suite (date
// 20150830T123600Z, region us-east-1, service "service"), and the examples of
// the S3 API reference ("Examples: Signature Calculations"). Those of the suite
// whose path is not escaped are not among them: no path goes out so.
func TestAWSVectors(t *testing.T) {
	suite := &credentials.AWS{Service: "service", Region: "us-east-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	s3 := &credentials.AWS{Service: "s3", Region: "us-east-1", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	suiteTime := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	s3Time := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	const (
		suiteURL = "https://example.amazonaws.com"
		s3URL    = "https://examplebucket.s3.amazonaws.com"
	)
	for _, tt := range []struct {
		name      string
		aws       *credentials.AWS
		at        time.Time
		method    string
		url       string
		headers   http.Header
		body      string
		signed    string
		signature string
	}{
		{"get-vanilla", suite, suiteTime, "GET", suiteURL + "/", nil, "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla without a path", suite, suiteTime, "GET", suiteURL, nil, "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", suite, suiteTime, "GET", suiteURL + "/?Param2=value2&Param1=value1", nil, "", "host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-query-unreserved", suite, suiteTime, "GET",
			suiteURL + "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
			nil, "", "host;x-amz-date", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{"get-slash", suite, suiteTime, "GET", suiteURL + "//", nil, "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", suite, suiteTime, "POST", suiteURL + "/", nil, "", "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-x-www-form-urlencoded", suite, suiteTime, "POST", suiteURL + "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			"Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		{"S3 GET Object", s3, s3Time, "GET", s3URL + "/test.txt", http.Header{"Range": {"bytes=0-9"}}, "", "host;range;x-amz-content-sha256;x-amz-date",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"S3 PUT Object", s3, s3Time, "PUT", s3URL + "/test%24file.text", http.Header{"Date": {"Fri, 24 May 2013 00:00:00 GMT"}, "X-Amz-Storage-Class": {"REDUCED_REDUNDANCY"}},
			"Welcome to Amazon S3.", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
		{"S3 GET Bucket Lifecycle", s3, s3Time, "GET", s3URL + "/?lifecycle", nil, "", "host;x-amz-content-sha256;x-amz-date",
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"S3 List Objects", s3, s3Time, "GET", s3URL + "/?max-keys=2&prefix=J", nil, "", "host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if tt.headers == nil {
			tt.headers = http.Header{}
		}
		tt.headers["User-Agent"] = []string{"reqon"}
		h := signAWS(tt.aws, tt.method, u, tt.headers, []byte(tt.body), tt.at)
		got := h.Get("Authorization")
		if !strings.Contains(got, "SignedHeaders="+tt.signed+", Signature="+tt.signature) {
			t.Errorf("%s: got %s\nwant %s %s", tt.name, got, tt.signed, tt.signature)
		}
		if tt.headers.Get("Authorization") != "" {
			t.Errorf("%s: the headers that were given are changed", tt.name)
		}
	}
}

// Each attempt is signed anew, also behind a redirect; what goes to another
// origin is not.
func TestAWSRequests(t *testing.T) {
	var got []*http.Request
	foreign := serve(t, func(w http.ResponseWriter, r *http.Request) { got = append(got, r) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r)
		switch r.URL.Path {
		case "/v1/busy":
			if len(got) == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		case "/v1/moved":
			http.Redirect(w, r, "/v1/there?b=2&a=1", http.StatusFound)
		case "/v1/away":
			http.Redirect(w, r, foreign.URL+"/x", http.StatusFound)
		}
	})
	cred := &credentials.Credential{Kind: credentials.SigV4, AWS: &credentials.AWS{
		Service: "execute-api", Region: "eu-central-1", AccessKeyID: "AKID", SecretAccessKey: "hush-hush", SessionToken: "session-1"}}
	r := newRig(t, s.URL+"/v1", "", cred)
	check := func(req *http.Request) {
		t.Helper()
		auth := req.Header.Get("Authorization")
		// What the server sees must give the signature that it got.
		seen := http.Header{}
		for name, values := range req.Header {
			seen[name] = values
		}
		u := *req.URL
		u.Host = req.Host
		at, err := time.Parse(awsTimeFormat, req.Header.Get("X-Amz-Date"))
		if err != nil || req.Header.Get("X-Amz-Security-Token") != "session-1" {
			t.Errorf("headers %v", req.Header)
		}
		if want := signAWS(cred.AWS, req.Method, &u, seen, nil, at).Get("Authorization"); auth != want {
			t.Errorf("got  %s\nwant %s", auth, want)
		}
	}
	r.get("/busy")
	if len(got) != 2 || got[0].Header.Get("X-Amz-Date") == got[1].Header.Get("X-Amz-Date") {
		t.Fatalf("%d requests, or signed at one time", len(got))
	}
	check(got[0])
	check(got[1])
	got = nil
	r.get("/moved")
	check(got[0])
	check(got[1])
	got = nil
	r.get("/away")
	check(got[0])
	if h := got[1].Header; h.Get("Authorization") != "" || h.Get("X-Amz-Security-Token") != "" {
		t.Errorf("another origin got %v", h)
	}
}
