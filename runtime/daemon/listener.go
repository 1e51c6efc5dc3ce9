package daemon

import (
	"net"
	"sync"
)

// mostConns is how many connections a server has at a time: a quarter of the files
// that may be open. Others wait to be accepted. Without a limit, clients that never
// ask anything would use up the files that runs need.
func mostConns() int { return int(min(max(openFileLimit()/4, 16), 4096)) }

// usualOpenFiles is the limit of open files where it can't be known.
const usualOpenFiles = 1024

// connLimit accepts a connection only while fewer than so many are open.
type connLimit struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func limitConns(l net.Listener, most int) *connLimit {
	return &connLimit{Listener: l, places: make(chan struct{}, most), closed: make(chan struct{})}
}

func (l *connLimit) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

func (l *connLimit) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// limitedConn gives up its place when it is closed.
type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
