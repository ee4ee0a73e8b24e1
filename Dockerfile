# The binary alone, on a small base, not as root.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=1 go build -trimpath -ldflags "-s -w" -o /out/dispatch ./cmd/dispatch && mkdir /out/data

FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /out/dispatch /usr/bin/dispatch
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV DISPATCH_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/usr/bin/dispatch"]
CMD ["serve"]
