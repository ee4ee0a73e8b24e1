module courier/tools

go 1.26
