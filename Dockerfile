# The whole product is one static binary with the web app inside. Versions are
# exact, so that the same source gives the same image. Both builds run on the
# machine's own processor whatever the image is for: Go compiles for any, and
# nothing runs in the last stage.

FROM --platform=$BUILDPLATFORM node:22.20.0-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /src/web/dist web/dist
# No cgo: the binary needs nothing of the image it runs in.
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags='-s -w' -o /tiffin ./cmd/tiffin

# Alpine rather than nothing at all: 8 MB buy certificates, and a shell with wget
# for health checks and for whoever has to look inside at night.
FROM alpine:3.22.2
COPY --from=build /tiffin /usr/local/bin/tiffin
# A number without a name: the binary asks for none, and Kubernetes can see that it is not root.
USER 10001:10001
# The edge, its sockets, and the probes of every role.
EXPOSE 3000 3005 9090
ENV APP_ENV=production BIND_ADDRESS=0.0.0.0 HEALTH_ADDR=0.0.0.0:9090
ENTRYPOINT ["/usr/local/bin/tiffin"]
# Nothing runs by default: a role is a decision. `docker run tiffin run edge`.
CMD ["--help"]
