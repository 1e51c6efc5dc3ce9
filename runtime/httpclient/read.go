package httpclient

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"reqon/vm/value"
)

// firstRead is how much is made room for on a server's word. A Content-Length
// beyond it is believed as the bytes come.
const firstRead = 1 << 20

// tooLargeError says that a body is beyond maxResponseSize.
type tooLargeError struct {
	size  int64 // as the server says, -1 if it does not
	limit int64
}

func (e *tooLargeError) Error() string {
	size := "larger than"
	if e.size >= 0 {
		size = fmt.Sprintf("of %d bytes, more than", e.size)
	}
	return fmt.Sprintf("the body is %s the %d bytes that maxResponseSize allows: raise it, or ask for less at a time", size, e.limit)
}

// encodingError says that a body is not compressed as its header says.
type encodingError struct {
	encoding string
	err      error
}

func (e *encodingError) Error() string {
	return fmt.Sprintf("the body can't be read as Content-Encoding %s: %v", e.encoding, e.err)
}

func (e *encodingError) Unwrap() error { return e.err }

// readBody reads a body whole, decompressed, of at most limit bytes. The bytes
// are the caller's. io.ErrUnexpectedEOF means that
// it broke off.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	encoding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
	if resp.Uncompressed {
		encoding = ""
	}
	size := resp.ContentLength
	switch encoding {
	case "", "identity":
		if size > limit {
			return nil, &tooLargeError{size, limit}
		}
		if size >= 0 {
			return readSized(resp.Body, size)
		}
		return readUnsized(resp.Body, limit)
	case "gzip", "x-gzip", "deflate":
		return readCompressed(resp.Body, encoding, limit)
	}
	return nil, &encodingError{encoding, errors.New("expected gzip or deflate")}
}

// readSized reads size bytes and then the end, which net/http makes sure of.
func readSized(r io.Reader, size int64) ([]byte, error) {
	buf := make([]byte, min(size, firstRead))
	n := 0
	for int64(n) < size {
		if n == len(buf) {
			buf = append(make([]byte, 0, min(size, int64(2*n))), buf...)
			buf = buf[:cap(buf)]
		}
		m, err := r.Read(buf[n:])
		n += m
		if err == io.EOF && int64(n) == size {
			return buf[:n], nil
		}
		if err != nil {
			return buf[:n], noEOF(err)
		}
	}
	// The connection can only be used again once the end has been seen.
	var tail [1]byte
	if m, err := r.Read(tail[:]); m > 0 || err != nil && err != io.EOF {
		return buf[:n], noEOF(err)
	}
	return buf[:n], nil
}

// noEOF turns an end that comes too soon into the error for it.
func noEOF(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// scratch holds buffers for bodies of unknown length, which are then copied to
// one of the right size, or handed over if they are large and well filled.
var scratch = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxScratch is how large a buffer may be that is kept for later.
const maxScratch = 4 << 20

// readUnsized reads until the end.
func readUnsized(r io.Reader, limit int64) ([]byte, error) {
	buf := scratch.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxScratch {
			buf.Reset()
			scratch.Put(buf)
		}
	}()
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	data := buf.Bytes()
	if buf.Cap() <= maxScratch || len(data) < buf.Cap()/4*3 {
		data = bytes.Clone(data)
	}
	if err == nil && n > limit {
		err = &tooLargeError{-1, limit}
	}
	return data, err
}

var gzipReaders sync.Pool // of *gzip.Reader

// readCompressed reads a gzip or deflate body. One without any bytes is empty.
func readCompressed(body io.Reader, encoding string, limit int64) ([]byte, error) {
	src := &errorReader{r: body}
	in := bufio.NewReader(src)
	if _, err := in.Peek(1); err == io.EOF {
		return nil, nil
	}
	data, err := decompress(in, encoding, limit)
	var tooLarge *tooLargeError
	switch {
	case err == nil || errors.As(err, &tooLarge):
		return data, err
	case src.err != nil:
		return data, noEOF(src.err) // the connection's fault, not the body's
	}
	return data, &encodingError{encoding, err}
}

func decompress(in *bufio.Reader, encoding string, limit int64) ([]byte, error) {
	if encoding == "deflate" {
		z, err := zlib.NewReader(in) // RFC 9110, section 8.4.1.2: the zlib format
		if err != nil {
			return nil, err
		}
		return readUnsized(z, limit)
	}
	z, _ := gzipReaders.Get().(*gzip.Reader)
	if z == nil {
		z = new(gzip.Reader)
	}
	defer gzipReaders.Put(z)
	if err := z.Reset(in); err != nil {
		return nil, err
	}
	return readUnsized(z, limit)
}

// errorReader remembers why reading ended, the regular end aside.
type errorReader struct {
	r   io.Reader
	err error
}

func (e *errorReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

// bodyFailure is the failure of a good answer whose body could not be read.
func (k *call) bodyFailure(ctx context.Context, resp *http.Response, err error, at *hop) *Failure {
	var tooLarge *tooLargeError
	var encoding *encodingError
	f := k.failure(KindHTTP, at)
	switch {
	case errors.As(err, &tooLarge):
	case errors.As(err, &encoding) && !(errors.Is(err, io.ErrUnexpectedEOF) && untilClose(resp)):
		f.Kind = KindInvalidJSON
	default:
		return k.transportFailure(ctx, err, at)
	}
	f.answered(resp)
	f.Err = err
	f.final = true
	return f
}

// untilClose reports whether a body ends where the connection does, so that
// nobody said how long it is (RFC 9112, section 6.3).
func untilClose(resp *http.Response) bool {
	return resp.ProtoMajor == 1 && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
}

// brokeOff reports whether a document of n bytes that is not JSON is rather
// one that the end of the connection has cut off.
func brokeOff(resp *http.Response, err error, n int) bool {
	var syntax *value.SyntaxError
	return untilClose(resp) && errors.As(err, &syntax) && syntax.Offset >= n
}
