// Package httpclient sends the requests of a mission to its sources, and turns
// each answer into a value or a Failure (language definition, section 6.1).
//
// A request passes through these steps, each in a file of its own:
//
//	url.go, query.go     where it goes
//	headers.go, auth.go  what goes with it, and to which origin
//	body.go              what it carries
//	retry.go             whether to send it again, and when
//	aws.go               a signature for AWS
//	login.go, sign.go    what a source's login has given, and its signature
//	session.go           the token that goes with it, for as long as it is taken
//	gate.go              what all requests of an account to an origin share: one
//	                     slot of maxInFlight, connections
//	attempt.go           one try: timeout, the answer
//	redirect.go          where the answer says to go instead
//	transport.go         connections, and what a broken one means
//	read.go, decode.go   the body of the answer, and the value it holds
//	csv.go, charset.go   the forms of body that are not JSON
//	link.go              where the next page is
//	failure.go           what a mission gets to see when it did not work
//
// A failed request is a *Failure. Any other error of Client.Do is either the
// context's, or a mistake in the request that kept it from being sent.
package httpclient
