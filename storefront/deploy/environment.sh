#!/bin/bash
# Prints .env.production. On Amplify a variable of the build reaches the running server in this file only. Secrets are read from
# Parameter Store, by the role of the build; the file lies in what is deployed, where no browser can ask for it.
set -euo pipefail
shopt -s inherit_errexit # or a secret that cannot be read would be an empty one

secret() {
    local value
    value=$(aws ssm get-parameter --name "${SHOP_PARAMETERS:?is not set: it names the installation, /clickstream/ENV}/$1" \
        --with-decryption --query Parameter.Value --output text)
    printf '%s' "$value"
}

for name in CLICKSTREAM_URL SHOP_URL OPENID_ISSUER OPENID_CLIENT_ID; do
    printf '%s="%s"\n' "$name" "${!name:?is not set: frontend.yaml sets it}"
done

session_secret=$(secret shop/session_secret)
printf 'SESSION_SECRET="%s"\n' "$session_secret"

if [ -n "${OLTP_HOST:-}" ]; then
    password=$(secret oltp/shop_password)
    certificate=$(secret oltp/certificate)
    printf 'DATABASE_URL="postgresql://shop:%s@%s:5432/shop"\n' "$password" "$OLTP_HOST"
    printf 'DATABASE_CERTIFICATE="%s"\n' "$certificate"
else
    printf 'DATABASE_URL="%s"\n' "${DATABASE_URL:?is not set: set it in the Amplify console, or switch on Oltp}"
fi
