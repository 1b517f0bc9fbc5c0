#!/bin/sh
# Makes the certificates, lists, answers and signatures of this folder anew with OpenSSL 3. Keys are thrown away afterwards.
# OCSP answers carry the time of making; the tests' clock (tests/it/certificate.rs) stands some days after it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
printf 'sign-in\ncity.example\n%064d\n2026-12-01T02:00:00Z' 7 >challenge.txt
cat >ca.cnf <<'C'
[ca]
default_ca=own
[own]
database=$ENV::CA.db
serial=$ENV::CA.serial
crlnumber=$ENV::CA.crlnumber
new_certs_dir=.
default_md=sha256
policy=any
unique_subject=no
[any]
countryName=optional
organizationName=optional
organizationalUnitName=optional
commonName=optional
serialNumber=optional
[authority]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[card]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,nonRepudiation
subjectKeyIdentifier=hash
[sealing]
basicConstraints=critical,CA:FALSE
keyUsage=critical,keyEncipherment
[responder]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=OCSPSigning
C
for ca in root moica stranger; do : >$ca.db; echo 1000 >$ca.serial; echo 01 >$ca.crlnumber; done
# issue NAME CA SUBJECT KEYTYPE EXTENSIONS FROM UNTIL; the CA `self` signs itself
issue() {
  case $4 in
    ec) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key ;;
    *) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:$4 -out $1.key 2>/dev/null ;;
  esac
  openssl req -new -key $1.key -utf8 -subj "$3" -out $1.csr
  if [ $2 = self ]; then CA=$1; export CA; sign="-selfsign -keyfile $1.key"; else CA=$2; export CA; sign="-keyfile $2.key -cert $2.pem"; fi
  [ -f $CA.db ] || { : >$CA.db; echo 1000 >$CA.serial; }
  openssl ca -batch -notext -config ca.cnf -utf8 $sign -in $1.csr -out $1.pem -extensions $5 -startdate $6 -enddate $7 2>/dev/null
}
issue root self "/C=TW/O=行政院/OU=政府憑證總管理中心" 2048 authority 20200101000000Z 20401231235959Z
issue moica root "/C=TW/O=內政部/OU=內政部憑證管理中心" 2048 authority 20200101000000Z 20401231235959Z
issue stranger self "/C=TW/O=內政部/OU=內政部憑證管理中心" 2048 authority 20200101000000Z 20401231235959Z
issue card moica "/C=TW/CN=林阿梅/serialNumber=0000000112345678" 2048 card 20250101000000Z 20350101000000Z
issue card-ec moica "/C=TW/CN=陳浩/serialNumber=0000000112345679" ec card 20250101000000Z 20350101000000Z
issue revoked moica "/C=TW/CN=王小明/serialNumber=0000000112345680" 2048 card 20250101000000Z 20350101000000Z
issue expired moica "/C=TW/CN=李小華/serialNumber=0000000112345681" 2048 card 20200101000000Z 20250101000000Z
issue young moica "/C=TW/CN=張大同/serialNumber=0000000112345682" 2048 card 20300101000000Z 20350101000000Z
issue sealing moica "/C=TW/CN=封裝/serialNumber=0000000112345683" 2048 sealing 20250101000000Z 20350101000000Z
issue short moica "/C=TW/CN=短/serialNumber=0000000112345684" 1024 card 20250101000000Z 20350101000000Z
issue forged stranger "/C=TW/CN=林阿梅/serialNumber=0000000112345678" 2048 card 20250101000000Z 20350101000000Z
issue own self "/C=TW/CN=林阿梅/serialNumber=0000000112345678" 2048 card 20250101000000Z 20350101000000Z
issue responder moica "/C=TW/O=內政部/OU=OCSP" 2048 responder 20250101000000Z 20350101000000Z
CA=moica; export CA
openssl ca -config ca.cnf -keyfile moica.key -cert moica.pem -revoke revoked.pem -crl_reason keyCompromise 2>/dev/null
crl() { openssl ca -config ca.cnf -keyfile $2.key -cert $2.pem -gencrl -crl_lastupdate $3 -crl_nextupdate $4 2>/dev/null | openssl crl -outform DER -out $1; }
crl moica.crl moica 20261101000000Z 20270101000000Z
crl old.crl moica 20250101000000Z 20250201000000Z
cp moica.db stranger.db
CA=stranger; export CA
crl forged.crl stranger 20261101000000Z 20270101000000Z
# answer NAME CARD SIGNER
answer() {
  openssl ocsp -index moica.db -CA moica.pem -rsigner $3.pem -rkey $3.key -issuer moica.pem -cert $2.pem -no_nonce \
    -reqout $1.req >/dev/null 2>&1 || true
  openssl ocsp -index moica.db -CA moica.pem -rsigner $3.pem -rkey $3.key -reqin $1.req -respout $1.ocsp -ndays 30 >/dev/null 2>&1
}
answer good card moica
answer good-ec card-ec responder
answer good-revoked-card revoked moica
answer undelegated card card-ec
# sign NAME CARD OPTIONS
sign() { name=$1; card=$2; shift 2; openssl cms -sign -binary -in challenge.txt -signer $card.pem -inkey $card.key -certfile moica.pem -outform DER -out $name.p7 "$@"; }
sign card card -nodetach -md sha256
sign detached card -md sha256
sign sha512 card -nodetach -md sha512
sign pss card -nodetach -md sha256 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32
sign card-ec card-ec -nodetach -md sha256
sign keyid card -nodetach -md sha256 -keyid
sign plain card -nodetach -md sha256 -noattr
sign sha1 card -nodetach -md sha1
sign nocerts card -nodetach -md sha256 -nocerts
sign two card -nodetach -md sha256 -signer card-ec.pem -inkey card-ec.key
for one in revoked expired young sealing short forged own; do sign $one $one -nodetach -md sha256; done
sed 's/city.example/elsewhere.example/' challenge.txt >other.txt
openssl cms -sign -binary -in other.txt -signer card.pem -inkey card.key -certfile moica.pem -nodetach -md sha256 -outform DER -out other.p7
openssl dgst -sha256 -sign card.key -out card.sig challenge.txt
cp root.pem moica.pem card.pem card-ec.pem challenge.txt ./*.crl ./*.ocsp ./*.p7 card.sig "$here"
rm -rf "$work"
