#!/bin/sh
# Fetches govuk-frontend and takes out what must not be reused: the GDS Transport font and the crown and crest of the
# United Kingdom. Run in this folder with the version as argument, then read the difference.
set -eu
version=${1:-6.6.0}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
(cd "$work" && npm pack --silent "govuk-frontend@$version" >/dev/null && tar xzf "govuk-frontend-$version.tgz")
dist=$work/package/dist/govuk
sed -E \
    -e 's#/\*! Copyright \(c\) 2011 by Margaret Calvert[^*]*\*/##' \
    -e 's#@font-face\{[^}]*\}##g' \
    -e 's#font-family:GDS Transport,arial,sans-serif#font-family:var(--font)#g' \
    -e 's#url\(/assets/images/govuk-crest\.svg\)#none#g' \
    -e 's#\.govuk-footer__crown\{[^}]*\}##g' \
    -e '/^\/\*# sourceMappingURL/d' \
    "$dist/govuk-frontend.min.css" > govuk-frontend.css
sed -e '/^\/\/# sourceMappingURL/d' "$dist/govuk-frontend.min.js" > govuk-frontend.js
if grep -n -i -o 'gds transport\|crest\|url(/assets' govuk-frontend.css; then
    echo "the style sheet still names what must not be reused" >&2
    exit 1
fi
