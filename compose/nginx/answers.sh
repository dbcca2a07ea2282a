# Whether nginx answers on the port that is published, in an image that may have no curl.
exec 3<>/dev/tcp/127.0.0.1/8080
printf 'GET /proxyz HTTP/1.0\r\n\r\n' >&3
head -n 1 <&3 | grep -q '^HTTP/1'
