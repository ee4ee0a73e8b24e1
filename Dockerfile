# The binary alone, on a small base, not as root.
#
#   docker build -t courier/dispatch --build-arg VERSION="$(git describe --tags --always)" .
FROM golang:1.26-bookworm AS build
WORKDIR /src
# Modules change seldom: their layer is kept.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=1 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/dispatch ./cmd/dispatch && mkdir /out/data

FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build --chown=nonroot:nonroot /out/data /data
COPY --from=build /out/dispatch /usr/bin/dispatch
ENV DISPATCH_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/bin/dispatch", "health"]
ENTRYPOINT ["/usr/bin/dispatch"]
CMD ["serve"]
