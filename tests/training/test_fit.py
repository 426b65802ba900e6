def test_x(trained):
    print(trained.read_history().to_string())
    print(sorted(str(p.relative_to(trained.folder)) for p in trained.folder.rglob("*")))
