package value

// Clone returns a deep copy of v that shares no memory with the document v came
// from, so that a value that is kept does not keep a page. Shapes are shared:
// they own their keys.
func Clone(v Value) Value {
	var c cloner
	c.measure(v)
	c.mem.begin(c.cells)
	c.text = make([]byte, 0, min(c.bytes, chunkText))
	return c.clone(v)
}

type cloner struct {
	cells, bytes int // that the copy needs
	mem          arena
	text         []byte // the rest of the last allocation; its length is 0
}

func (c *cloner) measure(v Value) {
	switch v.Kind() {
	case String, NumText:
		c.bytes += len(v.Str())
	case Array:
		items := v.Elems()
		c.cells += len(items)
		for _, e := range items {
			c.measure(e)
		}
	case Object:
		slots := v.Obj().Slots()
		c.cells += 1 + len(slots)
		for _, e := range slots {
			c.measure(e)
		}
	}
}

func (c *cloner) clone(v Value) Value {
	switch v.Kind() {
	case String:
		return FromString(c.copyText(v.Str()))
	case NumText:
		return FromNumText(c.copyText(v.Str()))
	case Array:
		items := v.Elems()
		elems := c.mem.alloc(len(items))
		for i, e := range items {
			elems[i] = c.clone(e)
		}
		return FromArray(elems)
	case Object:
		slots := v.Obj().Slots()
		cells := c.mem.alloc(1 + len(slots))
		for i, e := range slots {
			cells[1+i] = c.clone(e)
		}
		return FromObject(objectOf(v.Obj().shape, cells, v.nesting()))
	}
	return v
}

func (c *cloner) copyText(s string) string {
	if len(s) > cap(c.text) {
		c.text = make([]byte, 0, max(len(s), min(c.bytes, chunkText)))
	}
	c.bytes -= len(s)
	b := append(c.text, s...)
	c.text = b[len(b):]
	return bytesText(b)
}
