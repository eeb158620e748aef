# The manual page, printed by the program from its own tables.
set(man_page ${PROJECT_BINARY_DIR}/seqring.1)
add_custom_command(TARGET seqring_program POST_BUILD COMMAND seqring_program help --man > ${man_page} VERBATIM)
install(FILES ${man_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
