"""How the longer answers of commands are shown: texts, tables, bars and generated pages."""
