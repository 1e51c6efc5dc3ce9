package credentials

import "fmt"

// AWS is what requests are signed with by AWS Signature Version 4.
type AWS struct {
	Service, Region              string
	AccessKeyID, SecretAccessKey string
	SessionToken                 string // "" for a key that lasts
}

// sigV4 reads the fields of aws_sigv4: from the entry, else from the variables
// in which AWS's own tools look.
func (l *lookup) sigV4(c *Credential) error {
	a := &AWS{}
	for _, t := range []struct {
		what string
		f    field
		to   *string
	}{
		{`a service, such as "execute-api" or "s3"`, fieldService, &a.Service},
		{`a region, such as "eu-central-1"`, fieldRegion, &a.Region},
		{"an access key id", fieldAccessKeyID, &a.AccessKeyID},
		{"a secret access key", fieldSecretAccessKey, &a.SecretAccessKey},
	} {
		v, err := l.need(SigV4, t.what, t.f)
		if err != nil {
			return err
		}
		if !isHeaderValue(v.text) {
			return fmt.Errorf("%s holds a line end or another control character: remove it", v.where)
		}
		*t.to = v.text
	}
	// A session token belongs to its key: one from elsewhere would not fit.
	f := fieldSessionToken
	if l.entry != nil {
		if v, ok := l.entry.Get(fieldAccessKeyID.keys[0]); ok && !v.IsNull() {
			f = own(f)
		}
	}
	v, _, err := l.get(f)
	if err != nil {
		return err
	}
	if !isHeaderValue(v.text) {
		return fmt.Errorf("%s holds a line end or another control character: remove it", v.where)
	}
	a.SessionToken = v.text
	c.AWS = a
	c.secrets = append(c.secrets, a.SecretAccessKey)
	if a.SessionToken != "" {
		c.secrets = append(c.secrets, a.SessionToken)
	}
	return nil
}
