SELECT id, digest FROM terminal WHERE uid = $1
