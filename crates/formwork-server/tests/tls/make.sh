#!/usr/bin/env bash
# Makes the certificates of the tests anew. They are valid for a hundred years; nothing but the tests trusts them.
set -euo pipefail
cd "$(dirname "$0")"
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
key ca.key
openssl req -x509 -new -key ca.key -days 36500 -subj "/CN=Formwork test authority" -out ca.pem \
  -addext "basicConstraints=critical,CA:true" -addext "keyUsage=critical,keyCertSign"
signed() { # name, subject alternative names
  key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" | openssl x509 -req -CA ca.pem -CAkey ca.key -days 36500 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2") -out "$1.pem"
}
signed server "DNS:localhost,IP:127.0.0.1"
signed renewed "DNS:localhost,IP:127.0.0.1"
signed elsewhere "DNS:elsewhere.example"
rm -f ca.key ca.srl
