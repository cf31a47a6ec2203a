// Serves HTTPS on the loopback address and fetches a page from itself. The
// server's certificate is signed by a CA that is made here, so nobody trusts it.
// `app ca` only prints that CA's certificate.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"
)

// A key that anyone can read: for an example only.
var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))

var authority = &x509.Certificate{
	SerialNumber:          big.NewInt(1),
	Subject:               pkix.Name{CommonName: "Example authority"},
	NotBefore:             time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
	NotAfter:              time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC),
	IsCA:                  true,
	BasicConstraintsValid: true,
	KeyUsage:              x509.KeyUsageCertSign,
}

var server = &x509.Certificate{
	SerialNumber: big.NewInt(2),
	Subject:      pkix.Name{CommonName: "Example server"},
	NotBefore:    authority.NotBefore,
	NotAfter:     authority.NotAfter,
	IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	KeyUsage:     x509.KeyUsageDigitalSignature,
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "ca" {
		block := &pem.Block{Type: "CERTIFICATE", Bytes: signed(authority)}
		pem.Encode(os.Stdout, block)
		return
	}
	go serve()
	time.Sleep(100 * time.Millisecond) // for the server to listen
	response, err := http.Get("https://127.0.0.1:8443/")
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, response.Body)
}

func serve() {
	mine := tls.Certificate{
		Certificate: [][]byte{signed(server)},
		PrivateKey:  key,
	}
	s := http.Server{
		Addr:      "127.0.0.1:8443",
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{mine}},
		ErrorLog:  log.New(io.Discard, "", 0), // the client reports it
		Handler:   http.HandlerFunc(hello),
	}
	log.Fatal(s.ListenAndServeTLS("", ""))
}

func hello(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "hello over HTTPS")
}

func signed(certificate *x509.Certificate) []byte {
	der, err := x509.CreateCertificate(
		nil, certificate, authority, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	return der
}
