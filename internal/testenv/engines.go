package testenv

// Engines are one of each.
type Engines struct {
	Postgres *PostgresServer
	Redis    *Redis
	RabbitMQ *RabbitMQ
	Database string // URL of an empty database
}

// StartEngines starts the three beside each other, until the test ends.
func StartEngines(t T) *Engines {
	t.Helper()
	e := &Engines{}
	Together(
		t,
		func(t T) { e.Postgres = StartPostgres(t); e.Database = e.Postgres.Database(t) },
		func(t T) { e.Redis = StartRedis(t) },
		func(t T) { e.RabbitMQ = StartRabbitMQ(t) },
	)
	return e
}
