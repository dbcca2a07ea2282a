# nginx reads no environment: its configuration is filled in before it starts.
set -eu
names=$(env | sed -n 's/^\(PROXY_[A-Z_]*\)=.*/${\1}/p')
for file in nginx site; do
    envsubst "$names" <"/etc/nginx/proxy/$file.conf" >"/tmp/$file.conf"
done
exec nginx -c /tmp/nginx.conf -e stderr
