package sampleapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is an API that listens on loopback.
type Server struct {
	// URL is where it is, such as http://127.0.0.1:41234, without a slash at
	// its end: what missions take as their base.
	URL string

	http *http.Server
	done chan error
}

// Listen serves the API on a free port of 127.0.0.1 until Close. The error is
// that of the network.
func (a *API) Listen() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the sample API can't listen on loopback: %w", err)
	}
	s := &Server{
		URL:  "http://" + l.Addr().String(),
		http: &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second},
		done: make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// Close lets the requests in progress end, for two seconds at most, and returns
// when the server is gone.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	s.done <- http.ErrServerClosed // for a second Close
	return err
}
